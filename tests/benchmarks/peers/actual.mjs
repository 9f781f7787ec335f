// node actual.mjs FOLDER < transactions.json: imports them twice into a new budget, and says how long each took.
import * as actual from "@actual-app/api";
import { readFileSync } from "node:fs";

const said = JSON.parse(readFileSync(0, "utf8"));
await actual.init({ dataDir: process.argv[2], verbose: false });
// A budget is made by an import; that it cannot be sent to a server afterwards is only logged.
await actual.runImport("bench", async () => {});
const account = await actual.createAccount({ name: "First" }, 0);
const transactions = said.map((each) => ({ account, ...each }));
const times = [];
for (let turn = 0; turn < 2; turn++) {
  const start = performance.now();
  const { added } = await actual.importTransactions(account, transactions);
  times.push({ seconds: (performance.now() - start) / 1000, added: added.length });
}
await actual.shutdown();
console.log(JSON.stringify(times));
