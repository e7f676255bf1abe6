// quarrykit 1.3.0
