import assert from "node:assert/strict";
import { test } from "node:test";
import { neighbour } from "../../app/static/js/tabs.js";

test("the arrow keys choose the tab next to this one, round the ends", () => {
  const tabs = ["one", "two", "three"];
  assert.equal(neighbour(tabs, "one", "ArrowRight"), "two");
  assert.equal(neighbour(tabs, "three", "ArrowRight"), "one");
  assert.equal(neighbour(tabs, "one", "ArrowLeft"), "three");
  assert.equal(neighbour(tabs, "one", "Tab"), null);
});
