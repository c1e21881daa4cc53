"""Invoice Ninja's inheritance from PHP, Laravel and MySQL: numbers, texts, times, ids, order."""
