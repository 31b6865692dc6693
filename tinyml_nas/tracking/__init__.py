"""Where runs are recorded besides their own folders: what ``conf/tracking`` chooses."""
