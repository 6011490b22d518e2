// tests/unit/maglev_test.cpp: being written.
