import { propose } from "./rules/dialog";

frappe.provide("hisabi_sync");

/** "Always decide like this": from a conflict to a rule for one of its fields. */
hisabi_sync.propose_rule = propose;
