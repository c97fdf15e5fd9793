/** The dashboard's style sheet: palette and plots are the report's. */
import { DARK, FONT, LIGHT, PLOT_STYLE } from '../../evaluate/report/page-style.js'
import { PLAYGROUND_STYLE } from './playground-style.js'

const series = Array.from({ length: 8 }, (_, index) => `.series-${index} { --own: var(--series-${index}); }`).join('\n')

export const STYLE = `
:root {
  color-scheme: light dark;
  --font: ${FONT};${LIGHT}
  --soft: #eef1f5; --shadow: 0 1px 2px rgb(26 32 39 / 0.05); --on-accent: #ffffff;
}
@media (prefers-color-scheme: dark) {
  :root:not([data-theme=light]) {${DARK}
    --soft: #242c35; --shadow: none; --on-accent: #0c1015;
  }
}
:root[data-theme=light] { color-scheme: light; }
:root[data-theme=dark] { color-scheme: dark;${DARK}
  --soft: #242c35; --shadow: none; --on-accent: #0c1015;
}
${series}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { scroll-padding-top: 72px; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 var(--font); -webkit-text-size-adjust: 100%; }
h1, h2, h3, h4, p, dl, dd, ul, ol, fieldset { margin: 0; padding: 0; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -0.01em; overflow-wrap: anywhere; }
h2 { font-size: 18px; line-height: 1.3; letter-spacing: -0.005em; }
h3 { font-size: 15px; }
h4 { font-size: 13px; font-weight: 600; color: var(--muted); margin: 16px 0 6px; }
fieldset { border: 0; min-width: 0; }
ul, ol { list-style: none; }
a { color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 6px; }
main:focus { outline: none; }
.note { color: var(--muted); font-size: 13px; }
.visually-hidden { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 12px; top: -60px; background: var(--card); padding: 8px 14px; border-radius: 8px; z-index: 20; }
.skip:focus { top: 10px; }

.top { position: sticky; top: 0; z-index: 10; background: color-mix(in srgb, var(--page) 88%, transparent); backdrop-filter: blur(10px); border-bottom: 1px solid var(--line); }
.bar-in { max-width: 1360px; margin: 0 auto; padding: 10px 28px; display: flex; align-items: center; gap: 10px 18px; min-height: 57px; }
.brand { display: inline-flex; align-items: center; gap: 9px; font-weight: 650; font-size: 16px; letter-spacing: -0.01em; }
.mark { width: 24px; height: 24px; fill: none; stroke: var(--accent); stroke-width: 2.4; stroke-linecap: round; }
.mark .hub { fill: var(--accent); }
.state { display: inline-flex; align-items: center; gap: 7px; font-size: 13px; color: var(--muted); background: var(--soft); border-radius: 99px; padding: 3px 11px 3px 9px; white-space: nowrap; }
.dot { width: 8px; height: 8px; border-radius: 50%; background: var(--reference); }
.state[data-state=learning] .dot, .state[data-state=relearning] .dot, .state[data-state=serving] .dot { background: var(--good); }
.state[data-state=finished] .dot { background: var(--accent); }
.state[data-state=failed] .dot { background: var(--warn); }
[data-line=lost] .dot { background: var(--warn) !important; }
@media (prefers-reduced-motion: no-preference) {
  [data-line=open] .state[data-state=learning] .dot { animation: pulse 2.4s ease-in-out infinite; }
  @keyframes pulse { 50% { box-shadow: 0 0 0 5px color-mix(in srgb, var(--good) 22%, transparent); } }
}
.state { margin-right: auto; }
nav { display: flex; gap: 2px; background: var(--soft); padding: 3px; border-radius: 10px; }
nav a { padding: 5px 14px; border-radius: 8px; text-decoration: none; color: var(--muted); font-size: 14px; font-weight: 500; }
nav a[aria-current] { background: var(--card); color: var(--text); box-shadow: var(--shadow); }
.quiet { background: none; border: 0; color: var(--muted); font: inherit; font-size: 14px; text-decoration: none; padding: 5px 8px; border-radius: 8px; cursor: pointer; }
.quiet:hover { color: var(--text); background: var(--soft); }
.round { width: 34px; height: 34px; padding: 0; font-size: 16px; line-height: 1; }

.notice { background: var(--warn); color: var(--card); padding: 8px 28px; text-align: center; font-size: 14px; font-weight: 500; }
main { max-width: 1360px; margin: 0 auto; padding: 30px 28px 72px; }
.first { text-align: center; color: var(--muted); padding: 18vh 0; }
[data-ready] .first { display: none; }
:root:not([data-ready]) #content { display: none; }
[data-line=lost] #content { opacity: 0.55; transition: opacity 0.3s; }
[data-line=refused] #content, [data-line=refused] .first { display: none; }

section + section { margin-top: 44px; }
.title { display: flex; align-items: baseline; gap: 4px 14px; flex-wrap: wrap; margin-bottom: 16px; }
.progress { height: 4px; border-radius: 2px; background: var(--line); overflow: hidden; margin-bottom: 16px; }
.progress span { display: block; height: 100%; border-radius: 2px; background: var(--accent); transition: width 0.5s linear; }
.tiles { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); background: var(--card); border: 1px solid var(--line); border-radius: 14px; box-shadow: var(--shadow); }
.tile { padding: 16px 18px 14px; position: relative; min-width: 0; }
.tile + .tile { border-left: 1px solid var(--line); }
.tile dt { color: var(--muted); font-size: 13px; }
.tile .value { font-size: 23px; font-weight: 620; letter-spacing: -0.015em; line-height: 1.35; font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.tile .note { min-height: 20px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; font-variant-numeric: tabular-nums; }
.spark { position: absolute; right: 16px; bottom: 16px; width: 68px; height: 20px; overflow: visible; }
.spark path { fill: none; stroke: var(--accent); stroke-width: 1.5; vector-effect: non-scaling-stroke; opacity: 0.65; }

.section-head { display: flex; justify-content: space-between; align-items: end; gap: 12px 28px; flex-wrap: wrap; margin-bottom: 14px; }
.section-head .note { max-width: 78ch; margin-top: 3px; }
h2 + .grid, h2 + .card { margin-top: 14px; }
.alarm-mark { color: var(--warn); }
.segmented { display: inline-flex; flex-wrap: wrap; background: var(--soft); border-radius: 10px; padding: 3px; gap: 2px; }
.segmented label { cursor: pointer; }
.segmented input { position: absolute; opacity: 0; pointer-events: none; }
.segmented span { display: block; padding: 4px 13px; border-radius: 8px; font-size: 13px; font-weight: 500; color: var(--muted); }
.segmented input:checked + span { background: var(--card); color: var(--text); box-shadow: var(--shadow); }
.segmented input:focus-visible + span { outline: 2px solid var(--accent); outline-offset: 1px; }

.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 290px), 1fr)); gap: 18px; }
.flat { display: contents; }
.flat > .empty { grid-column: auto; margin: 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 14px; padding: 18px 20px; min-width: 0; box-shadow: var(--shadow); display: flex; flex-direction: column; }
.card-head { display: flex; justify-content: space-between; gap: 12px; }
.headline-figure { text-align: right; line-height: 1.25; }
.figure { font-size: 24px; font-weight: 620; letter-spacing: -0.015em; font-variant-numeric: tabular-nums; display: block; }
.unit { color: var(--muted); font-size: 12px; }
.verdict { color: var(--muted); font-size: 13px; min-height: 40px; font-variant-numeric: tabular-nums; }
.waiting .plot { display: grid; }
.empty { color: var(--muted); font-size: 14px; padding: 30px 0; text-align: center; margin: auto; grid-column: 1 / -1; }
.plot-box { margin-top: 8px; display: flex; flex-direction: column; flex: 1; }
.plot { width: 100%; min-height: 170px; }
.alarms { margin-top: 18px; border-left: 3px solid var(--warn); padding: 2px 0 2px 14px; font-size: 14px; }
.alarms li { margin-top: 3px; }
.alarms details { padding-top: 4px; }

.scroll { overflow-x: auto; max-height: 300px; overflow-y: auto; margin-top: 6px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: 5px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--muted); }
tbody th { color: var(--text); }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { position: sticky; top: 0; background: var(--card); }
tbody th, thead th:first-child { position: sticky; left: 0; background: var(--card); }
thead th:first-child { z-index: 1; }
.badge { font-size: 12px; padding: 1px 8px; border-radius: 99px; background: var(--soft); color: var(--muted); }
.badge.held, .held-note { background: var(--soft); color: var(--warn); }
.held-note { margin: 0 0 10px; padding: 6px 10px; border-radius: 8px; font-size: 13px; }
.badge.full { background: var(--good-page); color: var(--good); }
details { margin-top: auto; padding-top: 8px; font-size: 13px; }
summary { cursor: pointer; color: var(--muted); width: fit-content; }
summary:hover { color: var(--accent); }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(84px, 1fr)); gap: 8px; margin-top: 10px; padding-top: 10px; border-top: 1px solid var(--line); }
.facts dt { color: var(--muted); font-size: 12px; }
.facts dd { font-variant-numeric: tabular-nums; font-weight: 600; }
.bars { margin: 12px 0; display: grid; gap: 9px; }
.bar { display: grid; grid-template-columns: 104px 1fr; align-items: center; gap: 10px; font-size: 14px; }
.bar dd { display: grid; grid-template-columns: 60px 1fr; align-items: center; gap: 12px; }
.count { text-align: right; font-variant-numeric: tabular-nums; }
.track { display: block; height: 8px; border-radius: 4px; background: var(--soft); overflow: hidden; }
.fill { display: block; height: 100%; border-radius: 4px; background: var(--own, var(--accent)); transition: width 0.35s ease-out; }
.pairs { display: grid; gap: 0; margin-top: 8px; }
.pairs div { display: flex; justify-content: space-between; gap: 14px; padding: 5px 0; border-bottom: 1px solid var(--line); font-size: 14px; }
.pairs div:last-child { border-bottom: 0; }
.pairs dt { color: var(--muted); overflow-wrap: anywhere; }
.ages { margin: 12px 0 0; font-size: 12px; }
.ages figcaption { color: var(--muted); }
.ages ol { display: grid; grid-auto-flow: column; grid-auto-columns: 1fr; gap: 4px; margin: 6px 0 0; padding: 0; list-style: none; text-align: center; }
.ages li { min-width: 0; }
.ages .column { display: flex; align-items: end; height: 34px; border-bottom: 1px solid var(--line); }
.ages .fill { flex: 1; background: var(--accent); border-radius: 3px 3px 0 0; }
.ages .share { font-variant-numeric: tabular-nums; }
.ages .age { color: var(--muted); }
.pairs dd { font-variant-numeric: tabular-nums; font-weight: 500; }
.key-form { max-width: 420px; margin: 10vh auto; gap: 10px; }
button, input { font: inherit; color: inherit; }
button:not(.quiet, .ranked, .chip), .user-form input, .key-form input, .admin-form input { border: 1px solid var(--line); background: var(--card); border-radius: 9px; padding: 6px 13px; min-height: 38px; }
button:not(.quiet, .ranked, .chip) { cursor: pointer; font-weight: 500; }
button:not(.quiet, .ranked, .chip):not(:disabled):hover { border-color: var(--accent); }
button:disabled { opacity: 0.45; cursor: not-allowed !important; }
td button:not(.quiet, .ranked, .chip) { min-height: 30px; padding: 2px 11px; }
button[type=submit] { background: var(--accent) !important; border-color: var(--accent) !important; color: var(--on-accent); }
${PLOT_STYLE}
.u-legend { margin-top: 2px; font-size: 12px; }
.u-legend tbody { gap: 2px 8px; }
.u-legend .u-value { min-width: 3.3em; }
.u-legend tr:first-child { display: none; }
${PLAYGROUND_STYLE}
@media (max-width: 1080px) {
  .tiles { grid-template-columns: repeat(3, minmax(0, 1fr)); }
  .tile:nth-child(4) { border-left: 0; }
  .tile:nth-child(n + 4) { border-top: 1px solid var(--line); }
}
@media (max-width: 640px) {
  .bar-in { padding: 8px 14px; flex-wrap: wrap; }
  nav { order: 9; width: 100%; }
  nav a { flex: 1; text-align: center; }
  html { scroll-padding-top: 112px; }
  main { padding: 20px 14px 48px; }
  section + section { margin-top: 34px; }
  h1 { font-size: 23px; }
  .card { padding: 15px 14px; border-radius: 12px; }
  .tiles { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tile { padding: 12px 14px; border-top: 1px solid var(--line); }
  .tile:nth-child(-n + 2) { border-top: 0; }
  .tile:nth-child(odd) { border-left: 0; }
  .tile:nth-child(even) { border-left: 1px solid var(--line); }
  .tile .value { font-size: 19px; }
  .spark { display: none; }
  .bar { grid-template-columns: 96px 1fr; }
}
`
