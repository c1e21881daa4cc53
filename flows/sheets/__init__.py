"""Read and write spreadsheets as people use them: CSV and Excel."""
