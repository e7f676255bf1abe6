// invented
