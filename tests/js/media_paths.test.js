import assert from "node:assert/strict";
import { test } from "node:test";
import { folderOf, foldersTo, pageOf } from "../../app/static/js/media_paths.js";

test("the folder of a file at the top is the media folder", () => {
  assert.equal(folderOf("news.ts"), "");
  assert.equal(folderOf("2026/oslo/news.ts"), "2026/oslo");
});

test("the path to a folder begins at the media folder", () => {
  assert.deepEqual(foldersTo(""), [{ name: "media", path: "" }]);
  assert.deepEqual(foldersTo("2026/oslo"), [
    { name: "media", path: "" },
    { name: "2026", path: "2026" },
    { name: "oslo", path: "2026/oslo" },
  ]);
});

test("a file's page keeps its folders and escapes the rest", () => {
  assert.equal(pageOf("2026/what? 100 %.ts"), "/media_info/2026/what%3F%20100%20%25.ts");
});
