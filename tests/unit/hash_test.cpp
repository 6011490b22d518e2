// tests/unit/hash_test.cpp: being written.
