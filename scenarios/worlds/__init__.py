"""What changes in the world while the program learns: a file each."""
