"""The media folder, the files in it, and the channel list."""
