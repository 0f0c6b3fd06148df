// Keeps a page true while it is looked at: what happens is added, what changed is asked for again.
'use strict';

const live = document.getElementById('live');
const events = document.getElementById('events');
const MOST_EVENTS = 300;
let asked = null, asking = false, again = false;

// Parts of the page that changed take the place of the old ones; what was in focus, or open, stays so.
async function refresh() {
  asked = null;
  if (asking) { again = true; return; }
  asking = true;
  try {
    const answer = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (answer.status === 401) { location.reload(); return; }
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html');
    for (const old of document.querySelectorAll('[data-part]')) {
      const part = fresh.getElementById(old.id);
      if (!part || part.outerHTML === old.outerHTML) continue;
      const focus = old.contains(document.activeElement) ? document.activeElement.id : '';
      const open = [...old.querySelectorAll('details[open]')].map((it) => it.id);
      old.replaceWith(document.adoptNode(part));
      for (const id of open) { const it = document.getElementById(id); if (it) it.open = true; }
      if (focus) document.getElementById(focus)?.focus({ preventScroll: true });
    }
  } catch {
    live.textContent = 'no connection';
  } finally {
    asking = false;
    if (again) { again = false; soon(0); }
  }
}

function soon(pause) { asked ??= setTimeout(refresh, pause); }

function add(told) {
  if (!events || !told.text) return;
  const line = document.createElement('li'), time = document.createElement('time'), text = document.createElement('span');
  time.dateTime = told.at;
  time.textContent = told.at.slice(11, 19);
  text.textContent = told.text;
  line.append(time, ' ', text);
  events.append(line);
  while (events.children.length > MOST_EVENTS) events.firstChild.remove();
}

const source = new EventSource(live.dataset.stream);
source.onopen = () => { live.textContent = 'live'; };
source.onerror = () => { live.textContent = 'no connection; trying again'; };
source.onmessage = (message) => {
  const told = JSON.parse(message.data);
  add(told);
  soon(document.querySelectorAll('#fleet tr').length > 200 ? 2000 : 250);
};
// A bar of a run under way grows.
setInterval(() => { if (document.querySelector('[data-underway]') && !document.hidden) soon(0); }, 1000);
