// tests/unit/address_test.cpp: being written.
