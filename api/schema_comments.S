/* The schema with its comments, as protoc wrote it (see api/CMakeLists.txt). */
	.section .rodata
	.global keelson_schema_set_begin
	.global keelson_schema_set_end
keelson_schema_set_begin:
	.incbin KEELSON_SCHEMA_SET
keelson_schema_set_end:
	.section .note.GNU-stack,"",@progbits
