<?php // café
$key = "x";
