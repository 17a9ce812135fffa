"""What has nothing to do with audio: files, devices, pages, downloads."""
