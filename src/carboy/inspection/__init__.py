"""Facts from a folder, by reading only; `probe` alone runs the app, in a child process."""
