// What the scripts of the page do to it.

export function byId(id) {
  return document.getElementById(id);
}

/** An element with elements and texts in it. A text is never read as HTML. */
export function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** Calls `fn` with the fields of a form whenever it is submitted. */
export function onSubmit(id, fn) {
  byId(id).addEventListener("submit", (event) => {
    event.preventDefault();
    fn(Object.fromEntries(new FormData(event.target)));
  });
}

export function onClick(id, fn) {
  byId(id).addEventListener("click", fn);
}
