// The spawner's program, inside this one: see launch.cpp. KEELSON_SPAWNER is its path.
	.section .rodata
	.global keelson_spawner_begin, keelson_spawner_end
	.balign 16
keelson_spawner_begin:
	.incbin KEELSON_SPAWNER
keelson_spawner_end:
	.section .note.GNU-stack, "", @progbits
