"""Generated input: the result is correct, or the error is one that the project words itself.

`python -m benchmarks fuzz --cases 10000` makes random calls (`benchmarks.fuzz.calls`) and opens damaged files
(`benchmarks.fuzz.files`), and prints for each kind how many results are right, how many calls are refused, and how many
break the rule: raw errors, results that are wrong without an error, and calls that hang.
"""
