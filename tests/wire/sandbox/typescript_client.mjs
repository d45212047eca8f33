// The official TypeScript SDK's client against a sandbox: node typescript_client.mjs FOLDER_WITH_NODE_MODULES URL
import { createRequire } from "node:module";

const [folder, url] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { Client } = require("@modelcontextprotocol/sdk/client/index.js");
const { StreamableHTTPClientTransport } = require("@modelcontextprotocol/sdk/client/streamableHttp.js");

const client = new Client({ name: "another", version: "1" });
await client.connect(new StreamableHTTPClientTransport(new URL(url)));
const call = async (name, args) => {
  const answer = await client.callTool({ name: `zencreator_${name}`, arguments: args });
  if (answer.isError) throw new Error(`${name}: ${JSON.stringify(answer.content)}`);
  return answer.structuredContent; // the SDK has checked it against the tool's outputSchema
};

const { tools } = await client.listTools();
const me = await call("get_me", {});
const inputs = [{ positive_prompt: "a red hill", model: "SEEDREAM_5" }];
const price = await call("estimate_price", { tool_name: "by_prompt", params: inputs[0] });
const done = await call("run_and_wait", { tool_name: "by_prompt", inputs });
const urls = await call("get_asset_download_urls", { asset_ids: done.asset_ids });
const picture = await fetch(urls.items[0].download_url);
const refused = await client.callTool({ name: "zencreator_get_asset", arguments: { asset_id: "nothing" } });
console.log(
  JSON.stringify({
    tools: tools.length,
    credits: me.credits,
    price: price.price,
    status: done.status,
    media_type: picture.headers.get("content-type"),
    refused: refused.isError === true,
  }),
);
await client.close();
