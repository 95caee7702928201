"""The media folder, its files, and the channel list."""
