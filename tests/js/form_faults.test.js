import assert from "node:assert/strict";
import { test } from "node:test";
import { areAllPlaced, faultOf } from "../../app/static/js/form_faults.js";

test("a field shows its own fault, or else that of one of its parts", () => {
  const faults = { "limits.loss": "too high", limits: "are missing", "receiver.key": "is wrong", ports: "are taken" };
  assert.equal(faultOf("limits", faults), "are missing");
  assert.equal(faultOf("limits.loss", faults), "too high");
  assert.equal(faultOf("receiver", faults), "is wrong");
  assert.equal(faultOf("port", faults), "");
});

test("a message is needed unless every fault has a place on the form", () => {
  assert.equal(areAllPlaced({}, ["name"]), false);
  assert.equal(areAllPlaced({ name: "is empty" }, ["name", "port"]), true);
  assert.equal(areAllPlaced({ "events.0.at_s": "is negative" }, ["events"]), true);
  assert.equal(areAllPlaced({ name: "is empty", engine: "is unknown" }, ["name"]), false);
  assert.equal(areAllPlaced({ ports: "are taken" }, ["port"]), false);
});
