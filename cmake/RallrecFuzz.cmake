# The fuzz build (preset fuzz): the readers of files that other people made, with clang, ASan, UBSan and libFuzzer, and
# a target for each of them (tests/fuzz). No torch, MPI or OpenMP.
set(RALLREC_FUZZ_DIR "${PROJECT_SOURCE_DIR}/tests/fuzz")
set(RALLREC_FUZZ_SANITIZE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)

include(RallrecReaders)

# The whole of io, text and config, and of other folders what reads files.
file(GLOB RALLREC_READERS CONFIGURE_DEPENDS src/io/*.cc src/text/*.cc src/config/*.cc src/logging/*.cc
  src/data/datasets/*.cc)
add_library(rallrec_readers STATIC ${RALLREC_READERS}
  src/core/error.cc src/core/host_name.cc src/core/rng.cc
  src/data/id_map.cc src/data/interaction_table.cc src/data/renumber.cc src/data/field_table.cc
  src/distributed/communicator.cc src/distributed/joint_error.cc
  src/models/llm/llm_config.cc
  tests/fuzz/memory_folder.cc tests/fuzz/one_thread.cc)
target_include_directories(rallrec_readers PUBLIC src "${PROJECT_SOURCE_DIR}")
target_link_libraries(rallrec_readers PUBLIC hdf5::hdf5 OpenSSL::Crypto PkgConfig::XXHASH PkgConfig::PCRE2
  simdjson::simdjson spdlog::spdlog nlohmann_json::nlohmann_json tomlplusplus::tomlplusplus)
target_compile_definitions(rallrec_readers PUBLIC PCRE2_CODE_UNIT_WIDTH=8 _GLIBCXX_ASSERTIONS
  RALLREC_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
target_compile_options(rallrec_readers PUBLIC ${RALLREC_FUZZ_SANITIZE} -fsanitize=fuzzer-no-link -O1 -g1)

file(GLOB RALLREC_FUZZ_TARGETS CONFIGURE_DEPENDS tests/fuzz/*_target.cc)
foreach(source IN LISTS RALLREC_FUZZ_TARGETS)
  get_filename_component(name "${source}" NAME_WE)
  string(REPLACE "_target" "" name "${name}")
  add_executable(fuzz_${name} "${source}")
  target_link_libraries(fuzz_${name} PRIVATE rallrec_readers)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer,address,undefined)
endforeach()
