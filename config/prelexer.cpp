// config/prelexer.cpp: being written.
