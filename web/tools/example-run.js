// node tools/example-run.js RUN_DIR > src/home/example-run.json
//
// The federation that the start page replays where none was run, from the folder of
//
//   flowgait simulate -o RUN_DIR --set seed=4 --set rounds=40 --set clients.count=20 \
//     --set 'clients.partition={dirichlet={alpha=0.3}}' --set model.hidden=[16] --set model.dropout=0 \
//     --set learning.rate=0.05 --set learning.effort={epochs=1} \
//     --set privacy.epsilon=8 --set privacy.delta=1e-5 --set privacy.clip_norm=0.08

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const read = (name) => readFileSync(join(process.argv[2], name), 'utf8');
const rounds = read('metrics.jsonl').trim().split('\n').map(JSON.parse);
const summary = JSON.parse(read('summary.json'));
const digits = (n) => Number(n.toFixed(3));

console.log(
  JSON.stringify({
    clients: rounds[0].clients.map((_, client) => rounds.map((round) => digits(round.clients[client]))),
    accuracy: rounds.map((round) => digits(round.accuracy)),
    epsilon: rounds.map((round) => digits(round.epsilon)),
    central: digits(summary.central.accuracy),
    local: digits(summary.local.accuracy),
    budget: 8,
    delta: 1e-5,
  }),
);
