/**
 * The page's own markup: landmarks, headings and places, all of it there before the first number. It holds no data and no
 * script of its own, so its policy can allow nothing but files of this server.
 */

const MARK = `<svg class="mark" viewBox="0 0 32 32" aria-hidden="true"><circle cx="16" cy="16" r="9.5"/><path d="M16 2v28M2 16h28M6.1 6.1l19.8 19.8M25.9 6.1 6.1 25.9"/><circle class="hub" cx="16" cy="16" r="3.4"/></svg>`

export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32" fill="none" stroke="#3b82e0" stroke-width="2.6" stroke-linecap="round"><circle cx="16" cy="16" r="9.5"/><path d="M16 2v28M2 16h28M6.1 6.1l19.8 19.8M25.9 6.1 6.1 25.9"/><circle cx="16" cy="16" r="3.4" fill="#3b82e0"/></svg>`

const adminForm = (name: string, label: string) =>
  `<form id="${name}-form" class="admin-form" hidden><label for="${name}-key">${label}</label><input id="${name}-key" type="password" autocomplete="off"><button type="submit">Try again</button></form>`

const LEARNER = `
<div id="view-learner">
  <section class="head" aria-labelledby="run-name">
    <div class="title"><h1 id="run-name">Millrace</h1><p id="about" class="note"></p><p id="state-text" class="note"></p></div>
    <div id="share" class="progress" role="progressbar" aria-label="Share of the log that was read" aria-valuemin="0" aria-valuemax="100" hidden><span id="share-bar"></span></div>
    <dl id="tiles" class="tiles"></dl>
  </section>
  <section aria-labelledby="h-learning">
    <div class="section-head"><div><h2 id="h-learning">How well it learns</h2>
      <p class="note">Every score is made before its label is known, and judged when it is. Bold: mean of the last windows. Dashed: what a constant would reach. ▴ a version was published, <span class="alarm-mark">▾</span> drift.</p></div>
      <fieldset class="segmented"><legend class="visually-hidden">Figure</legend>
        <label><input type="radio" name="lens" value="ranking" checked><span>Ranking</span></label>
        <label><input type="radio" name="lens" value="loss"><span>Loss</span></label></fieldset></div>
    <div id="curves" class="grid curves"><p class="empty">The first window has not closed yet.</p></div>
    <div id="alarms" class="alarms" hidden></div>
  </section>
  <section aria-labelledby="h-trust">
    <h2 id="h-trust">Whether its promises hold</h2>
    <div class="grid wide"><div id="calibration" class="flat"><p class="empty card">Calibration shows when labels have matured.</p></div>
      <article class="card" aria-label="Labels"><h3>Labels</h3><p class="note">what became of what was shown</p><dl id="labels" class="pairs"></dl><div id="maturity"></div></article></div>
  </section>
  <section id="beside" aria-labelledby="h-beside" hidden>
    <h2 id="h-beside">Challengers</h2>
    <article class="card" aria-label="Leaderboard"><h3>Leaderboard</h3><p class="note">losses minus those of what answers, on the same labels; below 0 is better</p>
      <p id="challengers-said" class="note" role="status"></p>
      ${adminForm('promote', 'Key that may promote (scope admin)')}
      <div id="challengers"></div></article>
  </section>
  <section aria-labelledby="h-inside">
    <h2 id="h-inside">Inside</h2>
    <div class="grid">
      <article id="weights" class="card" aria-label="Task weights"><h3>Task weights</h3><p class="note">how much one label of each task counts</p><p class="empty">Not known yet.</p></article>
      <article id="rows" class="card" aria-label="Embedding rows"><h3>Embedding rows</h3><p class="note">ids that have a place in memory</p><p class="empty">Not known yet.</p></article>
      <article class="card" aria-label="Published versions"><h3>Versions</h3><p class="note">published for those who score</p><div id="versions"><p class="empty">None has been published yet.</p></div></article>
      <article class="card" aria-label="Events"><h3>Events</h3><p class="note">what came in</p><dl id="events" class="bars"></dl><p id="rejects" class="note"></p></article>
      <div id="experts" class="flat"></div>
    </div>
  </section>
</div>`

const PLAYGROUND = `
<div id="view-playground" hidden>
  <section class="head" aria-labelledby="h-playground">
    <div class="title"><h1 id="h-playground">Playground</h1><p id="playground-version" class="note"></p></div>
    <p id="playground-message" class="message" role="status">Asking whether the model can be asked…</p>
    <details id="rollback" class="rollback"><summary>Versions</summary>
      <p id="rollback-said" class="note" role="status"></p>
      ${adminForm('admin', 'Key with the scope admin')}
      <ul id="rollback-list"></ul></details>
    <p id="playground-said" class="visually-hidden" aria-live="polite"></p>
  </section>
  <div id="playground-board" class="board" hidden>
    <section class="card" aria-labelledby="h-user">
      <h2 id="h-user">User</h2>
      <form id="user-form" class="user-form"><label class="visually-hidden" for="user">User id</label>
        <input id="user" list="users" autocomplete="off" spellcheck="false" placeholder="user id"><datalist id="users"></datalist>
        <button type="submit">Show</button><button type="button" id="other-user">Another</button></form>
      <h3>Lately</h3><ul id="recent" class="recent"></ul>
      <div class="weights-head"><h3 id="h-weights">What counts</h3><button type="button" id="reset-weights" class="quiet">Reset</button></div>
      <div id="sliders" role="group" aria-labelledby="h-weights"></div>
    </section>
    <section class="card ranking-card" aria-labelledby="h-ranking">
      <h2 id="h-ranking">Would be shown</h2>
      <p id="ranking-empty" class="empty">Pick a user.</p>
      <ol id="ranking" class="ranking" hidden></ol>
    </section>
    <section class="card" aria-labelledby="details-title">
      <h2 id="details-title">Why</h2>
      <div id="explanation" aria-live="polite"><p class="note">Pick an item to see why it is where it is.</p></div>
      <h3>Similar items</h3><div id="neighbours"></div>
    </section>
  </div>
</div>`

export const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>Millrace</title>
<link rel="icon" href="/assets/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/assets/uplot.css"><link rel="stylesheet" href="/assets/style.css">
<script defer src="/assets/uplot.js"></script><script type="module" src="/assets/main.js"></script></head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header class="top"><div class="bar-in">
  <span class="brand">${MARK}<span>Millrace</span></span>
  <span id="state" class="state" role="status"><span class="dot" aria-hidden="true"></span><span id="state-name">Connecting</span></span>
  <nav id="views" aria-label="Views" hidden><a id="to-learner" href="#learner" aria-current="page">Learner</a><a id="to-playground" href="#playground">Playground</a></nav>
  <a class="quiet" href="/openapi.json">API</a>
  <button id="theme" type="button" class="quiet round" aria-label="Colours">◐</button>
</div></header>
<p id="notice" class="notice" role="alert" hidden></p>
<main id="main" tabindex="-1">
<form id="key-form" class="card key-form" hidden><h2>An API key is needed</h2><label for="key">Key with the scope read</label><input id="key" type="password" autocomplete="off"><button type="submit">Connect</button></form>
<p id="first" class="first" role="status">Connecting…</p>
<noscript><p class="first">This page draws with JavaScript. The same figures are at /v1/status and, for Prometheus, at /metrics.</p></noscript>
<div id="content">${LEARNER}${PLAYGROUND}</div>
</main>
</body></html>
`
