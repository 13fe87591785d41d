"""What a run leaves behind and shows: results, files, the page, the terminal. No decision about a job."""
