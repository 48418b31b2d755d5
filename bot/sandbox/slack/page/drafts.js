// What was put into the inputs of a view and not yet sent: it survives the view being drawn anew.

export class Drafts {
  constructor() {
    /** View id -> (block id + action id -> value). */
    this.views = new Map();
  }

  /** Return the value to start an input from, or undefined for its initial one. */
  value(viewId, blockId, actionId) {
    return this.views.get(viewId)?.get(`${blockId}/${actionId}`);
  }

  /** Remember what stands in every control inside `root`. */
  keep(viewId, root) {
    const values = controlsIn(root).map((node) => [
      `${node.dataset.blockId}/${node.dataset.actionId}`,
      node.readValue() ?? "",
    ]);
    this.views.set(viewId, new Map(values));
  }

  forgetAllBut(viewIds) {
    for (const id of this.views.keys()) if (!viewIds.has(id)) this.views.delete(id);
  }
}

/** Return the nodes inside `root` that hold a value; see `control` in controls.js. */
export function controlsIn(root) {
  return [...root.querySelectorAll("[data-value]")];
}

/** Return what stands in `nodes` as {block id: {action id: value}}. */
export function valuesByBlock(nodes) {
  const values = {};
  for (const node of nodes) (values[node.dataset.blockId] ??= {})[node.dataset.actionId] = node.readValue();
  return values;
}
