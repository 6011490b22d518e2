// config/validate.cpp: being written.
