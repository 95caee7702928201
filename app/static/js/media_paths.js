// Paths below the media folder. The media folder itself is the empty path.

/** The folder that contains a path. */
export const folderOf = (path) => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** The folders from the media folder to this one, both included. */
export function foldersTo(folder) {
  const names = folder ? folder.split("/") : [];
  const below = names.map((name, index) => ({ name, path: names.slice(0, index + 1).join("/") }));
  return [{ name: "media", path: "" }, ...below];
}

/** The address of a file's page. */
export const pageOf = (path) => `/media_info/${path.split("/").map(encodeURIComponent).join("/")}`;
