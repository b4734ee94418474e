// What an EHR in a browser does with a CDS service of another origin: it signs a token for each call, reads discovery,
// fills the prefetch, calls every patient-view service, shows the cards and says what became of the first one.
import { shownCard } from "./card.js";

fetch("/running"); // answered at the end: until then the headless browser does not take the page for finished
const setup = await (await fetch("/setup.json")).json(); // service, fhir, issuer, key (a private JWK), patient
const key = await crypto.subtle.importKey("jwk", setup.key, { name: "ECDSA", namedCurve: "P-384" }, false, ["sign"]);

function log(text) {
  const line = document.createElement("li");
  line.textContent = text;
  document.getElementById("log").append(line);
}

function base64url(bytes) {
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

async function token(address) {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: setup.issuer, aud: address, iat: now, exp: now + 300, jti: crypto.randomUUID() };
  const parts = [{ alg: "ES384", typ: "JWT", kid: setup.key.kid }, claims];
  const text = parts.map((part) => base64url(new TextEncoder().encode(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-384" }, key, new TextEncoder().encode(text));
  return `${text}.${base64url(new Uint8Array(signature))}`;
}

async function call(path, body) {
  const address = `${setup.service}/cds-services${path}`;
  const headers = { authorization: `Bearer ${await token(address)}` };
  const options = body ? { method: "POST", body: JSON.stringify(body) } : {};
  if (body) {
    headers["content-type"] = "application/json";
  }
  const answer = await fetch(address, { ...options, headers });
  log(`${options.method ?? "GET"} ${path || "/"} ${answer.status}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

async function prefetched(templates) {
  const filled = Object.entries(templates).map(async ([name, template]) => {
    const query = template.replaceAll("{{context.patientId}}", encodeURIComponent(setup.patient));
    return [name, await (await fetch(`${setup.fhir}/${query}`)).json()];
  });
  return Object.fromEntries(await Promise.all(filled));
}

async function openChart(service) {
  const reply = await call(`/${service.id}`, {
    hook: service.hook,
    hookInstance: crypto.randomUUID(),
    fhirServer: setup.fhir,
    context: { userId: "Practitioner/1", patientId: setup.patient },
    prefetch: await prefetched(service.prefetch),
  });
  document.getElementById("cards").append(...reply.cards.map(shownCard));
  for (const card of reply.cards.slice(0, 1)) {
    const { code, system } = card.overrideReasons[0];
    const overridden = { card: card.uuid, outcome: "overridden", outcomeTimestamp: new Date().toISOString() };
    await call(`/${service.id}/feedback`, { feedback: [{ ...overridden, overrideReason: { reason: { code, system } } }] });
  }
}

try {
  const { services } = await call("");
  for (const service of services.filter(({ hook }) => hook === "patient-view")) {
    await openChart(service);
  }
} catch (error) {
  log(`failed: ${error.message}`);
}
document.body.dataset.state = "done";
await fetch("/done");
