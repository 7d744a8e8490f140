// The journey of jsforce: reads its task as JSON from the file named first, writes what it saw to the second.
import { createRequire } from "node:module";
import { readFileSync, writeFileSync } from "node:fs";

const [taskFile, sawFile, clients] = process.argv.slice(2);
const jsforce = createRequire(clients + "/")("@jsforce/jsforce-node");
const task = JSON.parse(readFileSync(taskFile, "utf8"));
const zip = (name) => Buffer.from(task.zips[name], "base64");
const saw = {};
process.on("exit", () => writeFileSync(sawFile, JSON.stringify(saw)));
const org = new jsforce.Connection({ instanceUrl: task.url, accessToken: task.token, version: task.version });
org.metadata.pollInterval = 200;
const brief = (result) => ({
  status: result.status,
  success: result.success,
  done: result.done,
  failures: [result.details?.componentFailures ?? []].flat().map((one) => [one.fullName, one.problem]),
  deployed: Number(result.numberComponentsDeployed),
});

saw.identity = (await org.identity()).organization_id;
saw.userinfo = await org.request("/services/oauth2/userinfo");
saw.objects = (await org.describeGlobal()).sobjects.map((one) => one.name);
saw.kinds = (await org.metadata.describe()).metadataObjects.map((one) => one.xmlName);
const options = { singlePackage: true, rollbackOnError: true };
saw.checked = brief(await org.metadata.deploy(zip("good"), { ...options, checkOnly: true }).complete(true));
saw.absent = await org.sobject("Card__c").describe().catch((error) => error.errorCode ?? error.name);
saw.broken = brief(await org.metadata.deploy(zip("broken"), options).complete(true));
saw.deployed = brief(await org.metadata.deploy(zip("good"), options).complete(true));
saw.again = brief(await org.metadata.deployRest(zip("good"), options).complete(true));
saw.listed = [await org.metadata.list([{ type: "CustomObject" }])].flat().map((one) => one.fullName);
saw.read = await org.metadata.read("CustomObject", "Card__c");
saw.retrieved = await org.metadata
  .retrieve({ apiVersion: "64.0", singlePackage: true, unpackaged: { types: [{ name: "CustomObject", members: ["Card__c"] }] } })
  .complete();

const set = await org.query("SELECT Id FROM PermissionSet WHERE Name = 'Cards'");
saw.assigned = await org
  .sobject("PermissionSetAssignment")
  .create({ AssigneeId: saw.userinfo.user_id, PermissionSetId: set.records[0].Id });
saw.described = (await org.sobject("Card__c").describe()).fields.map((one) => one.name);

const wait = { pollInterval: 200, pollTimeout: 60000 };
const loaded = async (words, input) => {
  const result = await org.bulk2.loadAndWaitForResults({ ...words, input, ...wait });
  return { good: result.successfulResults, bad: result.failedResults, left: result.unprocessedRecords.length };
};
const parents = await loaded({ object: "Contact", operation: "insert" }, task.contacts);
saw.parents = [parents.good.length, parents.bad];
const cards = await loaded({ object: "Card__c", operation: "upsert", externalIdFieldName: "Key__c" }, task.cards);
saw.cards = [cards.good.length, cards.good.filter((one) => one.sf__Created === "true").length, cards.left];
saw.refused = cards.bad.map((one) => [one.Key__c, one.sf__Error]);
const names = [...task.fields, "Contact__r.Card_Key__c"].join(", ");
saw.pages = 0;
saw.rows = [];
for (let page = await org.query(`SELECT ${names} FROM Card__c`); page; ) {
  saw.pages += 1;
  saw.rows.push(...page.records);
  page = page.done ? null : await org.queryMore(page.nextRecordsUrl);
}
saw.streamed = (await (await org.bulk2.query("SELECT Id, Key__c FROM Card__c", wait)).toArray()).length;
saw.count = (await org.query("SELECT COUNT() FROM Card__c")).totalSize;
saw.groups = (await org.query("SELECT Colour__c colour, COUNT(Id) n FROM Card__c GROUP BY Colour__c ORDER BY Colour__c")).records;
const nested = "SELECT Id, (SELECT Key__c FROM Cards__r) FROM Contact WHERE Card_Key__c = 'p1'";
saw.children = (await org.query(nested)).records[0].Cards__r.totalSize;

const card = org.sobject("Card__c");
const one = await card.create({ Key__c: "single", Title__c: "one" });
saw.single = [one.success, (await card.update({ Id: one.id, Title__c: "two" })).success, (await card.retrieve(one.id)).Title__c];
saw.upserted = await card.upsert({ Key__c: "single", Title__c: "three" }, "Key__c");
saw.many = (await card.create([{ Key__c: "m1" }, { Key__c: "m2" }, { Key__c: "m1" }], { allOrNone: false })).map((r) => r.success);
saw.twice = await card.create({ Key__c: "single" }).catch((error) => error.errorCode);
saw.classic = (await org.bulk.load("Card__c", "update", cards.good.slice(0, 300).map((row) => ({ Id: row.sf__Id, Title__c: "classic" })))).filter((r) => r.success).length;
const gone = await loaded({ object: "Card__c", operation: "delete" }, cards.good.map((row) => ({ Id: row.sf__Id })));
saw.gone = gone.good.length;
saw.binned = (await org.query("SELECT COUNT() FROM Card__c WHERE IsDeleted = true", { scanAll: true })).totalSize;
saw.remaining = (await org.query("SELECT COUNT() FROM Card__c")).totalSize;
saw.removed = brief(await org.metadata.deploy(zip("removal"), options).complete(true));
saw.stranger = await new jsforce.Connection({ instanceUrl: task.url, accessToken: "00D000000000001!wrong" })
  .query("SELECT Id FROM Contact")
  .catch((error) => error.errorCode);
