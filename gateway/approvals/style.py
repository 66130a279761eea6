"""Style and headers of the pages behind links to approvals."""

from gateway.http.pages import STYLE, policy_for

PAGE_STYLE = (
    STYLE
    + """
body { max-width: 40rem; margin: 6vh auto; }
main { padding: 1.75rem; }
h1, .message { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; }
.message { margin-top: 1rem; color: var(--text); }
.origin { margin: 0 0 0.75rem; font-size: 0.875rem; overflow-wrap: anywhere; }
form { margin-top: 1.5rem; padding-top: 0.25rem; border-top: 1px solid var(--line); }
.field { margin: 1.25rem 0 0; padding: 0; border: 0; min-width: 0; }
label, legend { padding: 0; color: var(--text); font-weight: 560; overflow-wrap: anywhere; }
.field .optional { color: var(--muted); font-weight: 400; }
.field p { margin: 0.25rem 0 0; font-size: 0.875rem; overflow-wrap: anywhere; }
input, select, textarea { box-sizing: border-box; width: 100%; min-height: 2.75rem;
  margin-top: 0.375rem; padding: 0.5rem 0.75rem; border: 1px solid var(--edge);
  border-radius: 10px; background: var(--ground); color: var(--text); font: inherit;
  font-size: 1rem; }
textarea { resize: vertical; }
.json { font-family: ui-monospace, monospace; }
.choice { display: flex; gap: 0.625rem; align-items: center; min-height: 2.75rem;
  font-weight: 400; }
.choice input { flex: none; width: 1.375rem; min-height: 1.375rem; margin: 0;
  accent-color: var(--accent); }
[aria-invalid] { border: 2px solid var(--fault); }
fieldset[aria-invalid] { padding-left: 0.75rem; border-width: 0 0 0 2px; }
.fault, .faults { color: var(--fault); }
.faults { margin: 1.25rem 0 0; padding: 0.75rem 1rem; border: 2px solid var(--fault);
  border-radius: 10px; overflow-wrap: anywhere; }
.faults p { margin: 0; color: inherit; }
.faults ul { margin: 0.5rem 0 0; padding-left: 1.25rem; }
.faults a { color: inherit; }
.decisions { display: flex; flex-wrap: wrap; gap: 0.75rem; margin-top: 1.5rem; }
.decisions button { flex: 1 1 9rem; min-height: 3rem; cursor: pointer; }
.decisions .refuse { border: 1px solid var(--edge); background: var(--surface);
  color: var(--text); }
.caution { font-size: 0.875rem; }
:root { --fault: #a4262c; --edge: #8a8375; }
@media (prefers-color-scheme: dark) { :root { --fault: #ffb3ad; --edge: #8b857a; } }
@media (max-width: 30rem) { body { margin: 0 auto; padding: 0.75rem; }
  main { padding: 1.25rem 1rem; } h1 { font-size: 1.375rem; } }
"""
)
HEADERS = {
    "content-security-policy": policy_for(PAGE_STYLE),
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex, nofollow",
}
"""The address of such a page is a secret: no other host and no search engine may learn it."""
