"""What Invoice Ninja inherits from PHP, Laravel and MySQL: numbers, texts, times, ids, order."""
