// evil
