/**
 * The style sheet of the HTML report, and the pieces of it that the dashboard shares. Series colours have a contrast of
 * 3:1 or more against the page, text 4.5:1 or more.
 */
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif'

export const LIGHT = `
  --page: #f6f7f9; --card: #ffffff; --line: #dfe3e8; --grid: #e9ecf0;
  --text: #1a2027; --muted: #59636e; --accent: #0b5cc4; --good: #12703a; --good-page: #e3f4e9; --warn: #a13d00;
  --reference: #7c8691;
  --series-0: #0b5cc4; --series-1: #c2410c; --series-2: #0f766e; --series-3: #8b2fc9;
  --series-4: #946200; --series-5: #c01f6a; --series-6: #4d6b12; --series-7: #475569;`

export const DARK = `
  --page: #11151a; --card: #1a2027; --line: #303943; --grid: #2a323b;
  --text: #e8ecf1; --muted: #a4afbb; --accent: #79b4ff; --good: #7ddb9f; --good-page: #173323; --warn: #ffb07a;
  --reference: #8b97a4;
  --series-0: #6aaeff; --series-1: #ff9a62; --series-2: #4fd1bd; --series-3: #cf9dff;
  --series-4: #f2c14e; --series-5: #ff85b8; --series-6: #b3d25e; --series-7: #b6c2cf;`

export const PLOT_STYLE = `
.uplot, .uplot * { font-family: var(--font); }
.u-legend { text-align: left; font-size: 13px; margin: 6px 0 0; display: block; width: auto; }
.u-legend tbody { display: flex; flex-wrap: wrap; gap: 2px 16px; }
.u-legend tr { display: flex; margin: 0; }
.u-legend tr:first-child { order: 1; visibility: hidden; }
.u-wrap:hover + .u-legend tr:first-child { visibility: visible; }
.u-legend .faint { display: none; }
.u-legend th, .u-legend td { padding: 1px 0; border: 0; color: var(--text); display: flex; align-items: center; }
.u-legend th { font-weight: 400; }
.u-inline.u-live th::after { content: none; }
.u-legend .u-marker { width: 12px; height: 12px; border-radius: 2px; }
.u-legend .u-value { padding-left: 6px; min-width: 4.2em; color: var(--muted); justify-content: flex-start; }
.u-legend .u-series.u-off > * { opacity: 0.4; }
.u-select { background: color-mix(in srgb, var(--accent) 18%, transparent); }
.u-hz .u-cursor-x, .u-vt .u-cursor-y { border-right: 1px dashed var(--muted); }
.u-hz .u-cursor-y, .u-vt .u-cursor-x { border-bottom: 1px dashed var(--muted); }
`

export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --font: ${FONT};${LIGHT}
}
@media (prefers-color-scheme: dark) {
  :root {${DARK}
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 var(--font); -webkit-text-size-adjust: 100%; }
main { max-width: 1240px; margin: 0 auto; padding: 28px 24px 56px; }
h1 { font-size: 26px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 40px 0 12px; }
h2 + .note { margin: -4px 0 12px; }
h3 { font-size: 15px; margin: 0; }
p { margin: 4px 0; }
.muted, .note { color: var(--muted); }
.note { font-size: 13px; }
.scroll + .note, .stack + .note { margin-top: 8px; }
.source { color: var(--muted); overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: 12px; margin: 20px 0 0; padding: 0; }
.facts div { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 10px 14px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 0; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums; }
.facts dd small { font-size: 13px; font-weight: 400; color: var(--muted); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px; margin: 0; min-width: 0; }
.stack { display: grid; gap: 16px; grid-template-columns: minmax(0, 1fr); margin-bottom: 8px; }
.grid { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); gap: 16px; }
.grid.small { grid-template-columns: repeat(auto-fill, minmax(min(100%, 250px), 1fr)); align-items: start; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: 2px 0 6px; }
th, td { padding: 5px 10px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { font-weight: 500; color: var(--muted); }
tbody th { color: var(--text); }
tbody tr:last-child > * { border-bottom: 0; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
.scroll th:first-child { position: sticky; left: 0; background: var(--card); }
tr.all > th { font-weight: 650; }
tr.split > th { font-weight: 400; color: var(--muted); padding-left: 14px; }
tr.split > td { color: var(--muted); }
td.text, th.text { text-align: left; white-space: normal; min-width: 200px; padding-left: 24px; }
td.best { background: var(--good-page); color: var(--good); font-weight: 650; }
td small { display: block; color: var(--muted); font-weight: 400; }
.swatch { display: inline-block; width: 10px; height: 10px; border-radius: 2px; margin-right: 8px; }
figure { display: flex; flex-direction: column; }
figcaption { margin-bottom: 6px; }
details { margin-top: auto; padding-top: 8px; font-size: 13px; }
summary { cursor: pointer; color: var(--accent); width: fit-content; }
details .scroll { max-height: 260px; overflow: auto; margin-top: 6px; }
details table { font-size: 13px; }
details thead th { position: sticky; top: 0; background: var(--card); }
.plot { width: 100%; min-height: 220px; }
${PLOT_STYLE}footer { margin-top: 40px; color: var(--muted); font-size: 13px; }
@media (max-width: 600px) {
  main { padding: 18px 12px 40px; }
  .card { padding: 12px; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 8px; }
  .facts dd { font-size: 17px; overflow-wrap: anywhere; }
}
@media print { body { background: none; } .card, .facts div { break-inside: avoid; } }
`
