// Where the tour's ring and card stand: round the thing, and beside it without covering it.

/** Pixels between the thing and the card, and between the card and the window's edge. */
const GAP = 12;
const MARGIN = 8;

/** Put the ring round `target`; without one, put it away. */
export function ring(node, target) {
  node.hidden = !target;
  if (!target) return;
  const { left, top, right, bottom } = shown(target);
  node.style.left = `${left - 4}px`;
  node.style.top = `${top - 4}px`;
  node.style.width = `${right - left + 8}px`;
  node.style.height = `${bottom - top + 8}px`;
}

/**
 * Put `card` where it stays in the window and hides nothing of `target`, and least of the message or card
 * that `target` is a part of; without a target, in a corner.
 */
export function placeBeside(card, target) {
  const { offsetWidth: width, offsetHeight: height } = card;
  const most = { left: innerWidth - width - MARGIN, top: innerHeight - height - MARGIN };
  const kept = ({ left, top }) => ({
    left: Math.max(MARGIN, Math.min(left, most.left)),
    top: Math.max(MARGIN, Math.min(top, most.top)),
  });
  const around = target && shown(target.closest("article") ?? target);
  const places = target ? placesBeside(shown(target), around, width, height).map(kept) : [most];
  const cost = (place) => {
    if (!target) return 0;
    const box = { ...place, right: place.left + width, bottom: place.top + height };
    return 1000 * overlap(box, shown(target)) + overlap(box, around);
  };
  const best = places.reduce((one, other) => (cost(other) < cost(one) ? other : one));
  card.style.left = `${best.left}px`;
  card.style.top = `${best.top}px`;
}

/**
 * Right, left, below and above of the thing, then of what it is a part of, always along the thing's
 * beginning, middle and end; and the window's corners.
 */
function placesBeside(thing, around, width, height) {
  const downs = [thing.top, (thing.top + thing.bottom - height) / 2, thing.bottom - height];
  const acrosses = [thing.left, (thing.left + thing.right - width) / 2, thing.right - width];
  const beside = ({ left, top, right, bottom }) => [
    ...downs.map((down) => ({ left: right + GAP, top: down })),
    ...downs.map((down) => ({ left: left - width - GAP, top: down })),
    ...acrosses.map((across) => ({ left: across, top: bottom + GAP })),
    ...acrosses.map((across) => ({ left: across, top: top - height - GAP })),
  ];
  const corners = [0, innerHeight].flatMap((top) => [innerWidth, 0].map((left) => ({ left, top })));
  return [...beside(thing), ...beside(around), ...corners];
}

/** Return the part of a node that can be seen: neither beyond the window nor beyond its scrolling pane. */
function shown(node) {
  const box = node.getBoundingClientRect();
  const pane = node.closest(".messages, .cloud, .sidebar")?.getBoundingClientRect();
  const edge = pane ?? { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
  const left = Math.min(Math.max(box.left, edge.left), edge.right);
  const top = Math.min(Math.max(box.top, edge.top), edge.bottom);
  return {
    left,
    top,
    right: Math.max(left, Math.min(box.right, edge.right)),
    bottom: Math.max(top, Math.min(box.bottom, edge.bottom)),
  };
}

/** Return how many square pixels two boxes share. */
function overlap(one, other) {
  const width = Math.min(one.right, other.right) - Math.max(one.left, other.left);
  const height = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
  return Math.max(0, width) * Math.max(0, height);
}
