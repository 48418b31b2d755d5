"""One vendor a file: its SDK inside, domain values in and out."""
