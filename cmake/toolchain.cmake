# Language, warnings and the tools that make a build quick.
set(CMAKE_CXX_STANDARD 23)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()
# -g1: line tables and function names, enough for a backtrace at a third of the size. Asserts stay in a release.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE})
endif()
find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()

# The same file compiled in two checkouts is the same object: ccache hits across clones.
add_compile_options(-ffile-prefix-map=${CMAKE_SOURCE_DIR}/= -fno-omit-frame-pointer)
# Left out: missing-field-initializers (designated initialisers name what matters; the rest is its
# default), and two that g++-12 gets wrong: restrict (in std::string, GCC bug 105651) and
# maybe-uninitialized (in std::expected's moves).
set(KEELSON_WARNINGS -Wall -Wextra -Wshadow=local -Wconversion -Werror
    -Wno-missing-field-initializers -Wno-restrict -Wno-maybe-uninitialized)

if(KEELSON_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -O1)
  add_link_options(-fsanitize=address,undefined)
endif()
