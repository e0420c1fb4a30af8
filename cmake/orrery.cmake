# orrery_folder(PARENT NAME): the library orrery_NAME (outside engine/: orrery_NAME_lib) of PARENT/NAME's .cpp files, linked with every folder before it, and
# the test program NAME_test of its *_test.cpp files. Folders that do not exist yet are passed over. A CMakeLists.txt
# inside a folder may add to its target (libraries, generated files, programs).

find_package(Threads REQUIRED)
find_package(GTest REQUIRED)

# GCC 12 calls a TRY within a TRY a shadow, and sees overruns in the standard library's strings that are
# not there.
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  set(ORRERY_SHADOW -Wshadow)
endif()

add_library(orrery_options INTERFACE)
target_include_directories(orrery_options INTERFACE ${CMAKE_SOURCE_DIR}/engine ${CMAKE_SOURCE_DIR})
target_compile_options(orrery_options INTERFACE
  -Wall -Wextra -Wswitch-enum ${ORRERY_SHADOW} -Wconversion -Werror -ffp-contract=off -fno-math-errno -fno-strict-aliasing
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(CMAKE_CXX_COMPILER_ID MATCHES Clang)
  target_compile_options(orrery_options INTERFACE -Wno-sign-conversion -Wno-shorten-64-to-32
    -Wno-missing-field-initializers -Wno-missing-designated-field-initializers -Xclang -fno-pch-timestamp)
else()
  target_compile_options(orrery_options INTERFACE -Wno-sign-conversion -Wno-missing-field-initializers -Wno-dangling-else
    -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread -Wno-restrict -fpch-preprocess)
endif()
if(ORRERY_ZOO)
  target_compile_definitions(orrery_options INTERFACE ORRERY_ZOO)
endif()
if(ORRERY_SLOW_CHECKS)
  target_compile_definitions(orrery_options INTERFACE ORRERY_SLOW_CHECKS)
endif()
if(ORRERY_SANITIZE STREQUAL address)
  target_compile_options(orrery_options INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(orrery_options INTERFACE -fsanitize=address,undefined)
elseif(ORRERY_SANITIZE STREQUAL thread)
  target_compile_options(orrery_options INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(orrery_options INTERFACE -fsanitize=thread)
endif()

find_program(ORRERY_MOLD mold)
if(ORRERY_MOLD)
  target_link_options(orrery_options INTERFACE -fuse-ld=mold)
endif()
find_program(ORRERY_CCACHE ccache)
if(ORRERY_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_PCH_EXTSUM=1
      CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime ${ORRERY_CCACHE})
endif()

# One precompiled header for code, one for tests. Clang's holds the place of its work tree, so ccache goes by the digest
# beside it (.sum, of what the header says), and the targets name it by a relative path: all work trees share one cache.
function(orrery_pch name header)
  file(WRITE ${CMAKE_BINARY_DIR}/${name}.cpp "")
  add_library(${name} OBJECT ${CMAKE_BINARY_DIR}/${name}.cpp)
  target_link_libraries(${name} PRIVATE orrery_options ${ARGN})
  target_precompile_headers(${name} PRIVATE ${CMAKE_SOURCE_DIR}/${header})
  file(SHA256 ${CMAKE_SOURCE_DIR}/${header} digest)
  file(WRITE ${CMAKE_BINARY_DIR}/CMakeFiles/${name}.dir/cmake_pch.hxx.pch.sum
       "${digest} ${CMAKE_CXX_COMPILER_VERSION}\n")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${header})
endfunction()

function(orrery_use_pch target name)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES Clang)
    target_precompile_headers(${target} REUSE_FROM ${name})
    return()
  endif()
  set(file CMakeFiles/${name}.dir/cmake_pch.hxx.pch)
  target_compile_options(${target} PRIVATE "SHELL:-include-pch ${file}")
  get_target_property(sources ${target} SOURCES)
  set_property(SOURCE ${sources} APPEND PROPERTY OBJECT_DEPENDS ${CMAKE_BINARY_DIR}/${file})
endfunction()

orrery_pch(orrery_pch engine/base/std_pch.h)
orrery_pch(orrery_test_pch engine/base/test_pch.h GTest::gtest)

set(ORRERY_LIBRARIES "" CACHE INTERNAL "")

function(orrery_folder parent name)
  set(dir ${CMAKE_SOURCE_DIR}/${parent}/${name})
  set(library orrery_${name})
  if(NOT parent STREQUAL engine)
    set(library orrery_${name}_lib)       # its program may have the short name
  endif()
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cpp)
  if(NOT sources)
    return()
  endif()
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cpp$")
  list(FILTER sources EXCLUDE REGEX "(_test|_main)\\.cpp$")
  if(sources)
    add_library(${library} STATIC ${sources})
    orrery_use_pch(${library} orrery_pch)
  else()
    add_library(${library} INTERFACE)
  endif()
  get_target_property(type ${library} TYPE)
  if(type STREQUAL INTERFACE_LIBRARY)
    target_link_libraries(${library} INTERFACE orrery_options ${ORRERY_LIBRARIES})
  else()
    target_link_libraries(${library} PUBLIC orrery_options ${ORRERY_LIBRARIES})
  endif()
  if(tests)
    add_executable(${name}_test ${tests})
    target_link_libraries(${name}_test PRIVATE ${library} GTest::gtest GTest::gtest_main rapidcheck)
    orrery_use_pch(${name}_test orrery_test_pch)
    add_test(NAME ${name} COMMAND ${name}_test WORKING_DIRECTORY ${dir})
  endif()
  if(EXISTS ${dir}/CMakeLists.txt)
    include(${dir}/CMakeLists.txt)
  endif()
  set(ORRERY_LIBRARIES ${library} ${ORRERY_LIBRARIES} CACHE INTERNAL "")
endfunction()
