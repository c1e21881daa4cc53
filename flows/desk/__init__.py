"""The desk: pages in the browser where a book-keeper does the whole job. It calls the functions of the other rooms."""
