"""Learners of the generated program: what each takes of a board, and its C++."""
