"""What every importer, meter and store must do, standing once; a format's own test is about its oddities only."""
