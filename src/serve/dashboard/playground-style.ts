/** The playground's part of the style sheet. */
export const PLAYGROUND_STYLE = `
.rollback { margin-top: 8px; font-size: 14px; }
.rollback ul { display: grid; gap: 6px; max-width: 520px; margin-top: 8px; }
.rollback li { display: flex; justify-content: space-between; align-items: center; gap: 12px; }
.admin-form { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 8px; }
.message { color: var(--muted); text-align: center; padding: 14vh 0; }
.board { display: grid; grid-template-columns: minmax(250px, 300px) minmax(0, 1fr) minmax(300px, 380px); gap: 18px; align-items: start; }
.board section { margin: 0; }
.board h2 { margin-bottom: 10px; }
.board h3 { font-size: 13px; color: var(--muted); font-weight: 600; margin: 18px 0 8px; }
.user-form { display: grid; grid-template-columns: 1fr 1fr; gap: 8px; }
.user-form input { grid-column: 1 / -1; width: 100%; }
.recent { display: grid; gap: 7px; }
.recent li { display: flex; align-items: center; gap: 9px; min-width: 0; }
.recent .chip { flex-shrink: 0; max-width: 45%; }
.recent .note { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.chips { display: flex; flex-wrap: wrap; gap: 7px; }
.chip { border: 1px solid var(--line); background: var(--soft); border-radius: 99px; padding: 3px 11px; font-size: 13px; cursor: pointer; max-width: 100%; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; min-height: 28px; }
.chip:hover { border-color: var(--accent); }
.weights-head { display: flex; justify-content: space-between; align-items: end; }
.slider { display: grid; grid-template-columns: 1fr auto; gap: 0 10px; margin-bottom: 10px; font-size: 14px; }
.slider output { font-variant-numeric: tabular-nums; color: var(--muted); }
.slider input { grid-column: 1 / -1; width: 100%; accent-color: var(--own); height: 26px; cursor: pointer; margin: 0; }
.ranking { display: grid; gap: 4px; }
.ranked { width: 100%; display: grid; grid-template-columns: 26px minmax(60px, 1fr) 40px minmax(0, 3fr); align-items: center; gap: 12px; border: 1px solid transparent; background: none; border-radius: 10px; padding: 8px 10px; text-align: left; cursor: pointer; }
.ranked:hover { background: var(--soft); }
.ranked[aria-pressed=true] { background: var(--soft); border-color: var(--accent); }
.place { color: var(--muted); font-variant-numeric: tabular-nums; text-align: right; }
.item { font-weight: 550; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.moved { font-size: 12px; color: var(--warn); font-variant-numeric: tabular-nums; }
.moved.up { color: var(--good); }
.values { display: grid; grid-auto-flow: column; grid-auto-columns: minmax(0, 1fr); gap: 14px; }
.mini { display: grid; gap: 4px; }
.mini-value { font-size: 12px; color: var(--muted); font-variant-numeric: tabular-nums; line-height: 1; }
.mini .track { height: 5px; }
.diverging { display: grid; gap: 5px; font-size: 13px; }
.diverging div { display: grid; grid-template-columns: minmax(70px, 110px) 1fr; gap: 10px; align-items: center; }
.diverging dt { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.diverging dd { display: grid; grid-template-columns: 1fr 58px; gap: 8px; align-items: center; }
.axis { position: relative; height: 10px; background: linear-gradient(to right, transparent calc(50% - 0.5px), var(--line) 0, var(--line) calc(50% + 0.5px), transparent 0); }
.axis .fill { position: absolute; top: 1px; height: 8px; border-radius: 3px; }
.for .fill { left: 50%; background: var(--series-0); }
.against .fill { right: 50%; background: var(--series-1); }
.gates { display: flex; gap: 2px; }
.gate { background: color-mix(in srgb, var(--own) 24%, var(--card)); border-bottom: 3px solid var(--own); min-width: 4px; font-size: 12px; padding: 3px 5px; overflow: hidden; white-space: nowrap; }
@media (max-width: 1160px) {
  .board { grid-template-columns: minmax(240px, 280px) minmax(0, 1fr); }
  .board > :last-child { grid-column: 1 / -1; }
}
@media (max-width: 760px) {
  .board { grid-template-columns: minmax(0, 1fr); }
  .ranked { grid-template-columns: 22px minmax(0, 1fr) 34px; gap: 6px 10px; padding: 8px 4px; }
  .values { grid-column: 2 / -1; }
}
`
