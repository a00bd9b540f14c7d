// What a search makes of stored scores under any weights, as eval/web/sliders_ranking.py does, to the last product.

export const CUT = 10;
const WINDOW = 50;

export function shares(query, weights) {
  const kept = Object.keys(weights).filter((channel) => query.scores[channel] && weights[channel] > 0);
  const counts = kept.map((channel) => weights[channel] * (kept.length > 1 ? (query.factors[channel] ?? 1) : 1));
  const total = counts.reduce((sum, count) => sum + count, 0);
  return total > 0 ? kept.map((channel, at) => [query.scores[channel], counts[at] / total]) : null;
}

/** Places of the products, best first; none where no channel has a weight. */
export function ranked(query, weights) {
  const { points, boosts, contradicted, pins } = query;
  const counts = shares(query, weights);
  if (!counts) return [];
  const best = [];
  const scores = [];
  for (let point = 0; point < points.length; point++) {
    let total = 0;
    for (const [column, share] of counts) total += share * column[point];
    const product = points[point];
    if (best[product] === undefined || total > scores[product]) {
      best[product] = point;
      scores[product] = total;
    }
  }
  for (const product of best.keys()) scores[product] += boosts[best[product]];
  let order = [...best.keys()].sort((one, other) => scores[other] - scores[one] || one - other);
  if (contradicted) {
    const behind = (one) => Number(contradicted[best[one]] || scores[one] <= 0);
    const window = order.slice(0, WINDOW).sort((one, other) => behind(one) - behind(other));
    order = [...window, ...order.slice(WINDOW)];
  }
  if (pins.length) {
    const named = new Set(pins.map(([product]) => product));
    order = order.filter((one) => !named.has(one));
    for (const [product, place] of [...pins].sort((one, other) => one[1] - other[1])) order.splice(place - 1, 0, product);
  }
  return order;
}

/** nDCG@10 and hit rate@1 of one query. */
export function measured(query, order) {
  const leftOut = new Set(query.left_out);
  const shown = order.filter((one) => !leftOut.has(one)).slice(0, CUT);
  const gain = shown.reduce((sum, one, at) => sum + query.gains[one] / Math.log2(at + 2), 0);
  return { ndcg: query.ideal > 0 ? gain / query.ideal : 0, hit: shown.length && query.relevant[shown[0]] ? 1 : 0 };
}

/** Group → its means, over all and by kind; `unanswered`: kind → queries that count zero. */
export function means(queries, values, unanswered) {
  const groups = {};
  const add = (name, ndcg, hit, count) => {
    const group = (groups[name] ??= { ndcg: 0, hit: 0, count: 0 });
    group.ndcg += ndcg;
    group.hit += hit;
    group.count += count;
  };
  queries.forEach((query, at) => {
    for (const name of ["all", query.kind]) add(name, values[at].ndcg, values[at].hit, 1);
  });
  for (const [kind, count] of Object.entries(unanswered)) for (const name of ["all", kind]) add(name, 0, 0, count);
  for (const group of Object.values(groups)) {
    group.ndcg /= group.count;
    group.hit /= group.count;
  }
  return groups;
}
