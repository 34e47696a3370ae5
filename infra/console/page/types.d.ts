// The API's types, by short names. `openapi` is what openapi-typescript makes of docs/openapi.json; this file is not served.

import type { components } from "openapi";

type Schemas = components["schemas"];
export type Wallet = Schemas["Wallet"];
export type PastWallet = Schemas["PastWallet"];
export type Entry = Schemas["Entry"];
export type Hold = Schemas["Hold"];
export type Transaction = Schemas["Transaction"];
export type Queued = Schemas["Queued"];
export type Leg = Schemas["Leg"];
