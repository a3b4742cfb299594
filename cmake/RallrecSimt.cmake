# The host SIMT build (preset simt): src/core, src/kernels, what of src/distributed needs no MPI,
# the trainings of LightGCN, the projector and the baselines, and the decoder of the LLM. Their .cu files are compiled as plain C++
# against the stand-in of tests/support/simt/; with the tests that run them. No torch, MPI or HDF5.
#
# The .cu files, the stand-in and the tests are built with ASan and UBSan; the CPU column is not (the preset
# asan covers it, and it takes ten minutes to compile so). Each kernel test exists twice: x_test, and
# x_test_watched, whose .cu files are instrumented access by access instead (-fsanitize=thread, answered by
# the stand-in's own functions), so that races on shared memory and reads of unwritten shared memory are
# found.
set(RALLREC_SIMT_DIR "${PROJECT_SOURCE_DIR}/tests/support/simt")
set(RALLREC_SANITIZE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
add_link_options(${RALLREC_SANITIZE})
# Before all others: a header here takes the place of one with the same name under src/.
include_directories(BEFORE "${RALLREC_SIMT_DIR}/include" "${PROJECT_SOURCE_DIR}")

# The objects NAME_gpu and NAME_watched of .cu files.
function(rallrec_simt_objects name)
  set_source_files_properties(${ARGN} PROPERTIES LANGUAGE CXX COMPILE_OPTIONS "-x;c++")
  foreach(kind gpu watched)
    add_library(${name}_${kind} OBJECT ${ARGN})
    target_include_directories(${name}_${kind} PRIVATE "${PROJECT_SOURCE_DIR}/src")
    rallrec_compile_options(${name}_${kind})
    # #pragma unroll is nvcc's.
    target_compile_options(${name}_${kind} PRIVATE -Wno-unknown-pragmas)
  endforeach()
  target_compile_options(${name}_gpu PRIVATE ${RALLREC_SANITIZE})
  target_compile_options(${name}_watched PRIVATE -fsanitize=thread -Wno-tsan)
endfunction()

# What rallrec_library does with the CUDA_SOURCES of a folder.
function(rallrec_simt_library name)
  target_link_libraries(rallrec_${name} PUBLIC rallrec_simt)
  target_compile_options(rallrec_${name} PRIVATE -O1 -g0)
  set(hosts ${ARGN})
  set(kernels ${ARGN})
  list(FILTER hosts EXCLUDE REGEX "\\.cu$")
  list(FILTER kernels INCLUDE REGEX "\\.cu$")
  target_sources(rallrec_${name} PRIVATE ${hosts})
  if(kernels)
    rallrec_simt_objects(rallrec_${name} ${kernels})
    target_sources(rallrec_${name} PRIVATE $<TARGET_OBJECTS:rallrec_${name}_gpu>)
  endif()
endfunction()

# The tests NAME and NAME_watched of NAME.cc, which is compiled once; OBJECTS are .cu files of the test's own,
# made by rallrec_simt_objects.
function(rallrec_simt_tests name)
  cmake_parse_arguments(arg "" "OBJECTS;WATCHED" "DEPS" ${ARGN})
  add_library(${name}_object OBJECT ${name}.cc)
  target_link_libraries(${name}_object PRIVATE ${arg_DEPS} GTest::gmock)
  target_include_directories(${name}_object PRIVATE "${PROJECT_SOURCE_DIR}/src")
  rallrec_compile_options(${name}_object)
  target_compile_options(${name}_object PRIVATE ${RALLREC_SANITIZE} -O1)
  set(own "")
  if(arg_OBJECTS)
    set(own $<TARGET_OBJECTS:${arg_OBJECTS}>)
  endif()
  rallrec_test(${name} SOURCES $<TARGET_OBJECTS:${name}_object> ${own} DEPS ${arg_DEPS})
  rallrec_test(${name}_watched SOURCES $<TARGET_OBJECTS:${name}_object> $<TARGET_OBJECTS:${arg_WATCHED}>
    DEPS ${arg_DEPS})
  set_target_properties(${name} ${name}_watched PROPERTIES LINKER_LANGUAGE CXX)
endfunction()

find_package(Threads REQUIRED)
find_package(OpenMP REQUIRED COMPONENTS CXX)
find_package(GTest REQUIRED)
enable_testing()
include(RallrecTargets)
add_subdirectory(tests/support/simt)
add_subdirectory(src/core)
add_subdirectory(src/kernels)
add_subdirectory(src/distributed)

# What these trainings and the decoder take of the folders above, which see torch or HDF5 elsewhere.
add_library(rallrec_trainings STATIC
  src/config/did_you_mean.cc
  src/config/sizes.cc
  src/data/csr_graph.cc
  src/data/ctr_features.cc
  src/data/feature_block.cc
  src/data/field_table.cc
  src/data/graph_edges.cc
  src/data/id_map.cc
  src/data/negative_sampler.cc
  src/metrics/ranking.cc
  src/models/alignment/projector.cc
  src/models/ctr/auto_int.cc
  src/models/ctr/dcn.cc
  src/models/ctr/deep_fm.cc
  src/models/ctr/make_ctr_model.cc
  src/models/ctr/mlp.cc
  src/models/ctr/scalar_head.cc
  src/models/ctr/sharded_embedding.cc
  src/models/ctr/x_deep_fm.cc
  src/models/graph/adjacency.cc
  src/models/graph/light_gcn.cc
  src/models/graph/row_exchange.cc
  src/models/llm/arena.cc
  src/models/llm/batch_rows.cc
  src/models/llm/decoder_layer.cc
  src/models/llm/decoder_layer_backward.cc
  src/models/llm/dense_device_weights.cc
  src/models/llm/device_linear.cc
  src/models/llm/device_vocabulary.cc
  src/models/llm/device_weights.cc
  src/models/llm/generator.cc
  src/models/llm/int8_device_weights.cc
  src/models/llm/int8_layer_gather.cc
  src/models/llm/int8_layer_layout.cc
  src/models/llm/kept_bytes.cc
  src/models/llm/linear_input.cc
  src/models/llm/linear_names.cc
  src/models/llm/llama_decoder.cc
  src/models/llm/llama_label_passes.cc
  src/models/llm/lora_branch.cc
  src/models/llm/lora_layout.cc
  src/models/llm/quant_mode.cc
  src/models/llm/rope_table.cc
  src/models/llm/token_sampler.cc
  src/models/llm/waves.cc
  src/ops/decoder_ops.cc
  src/train/adam.cc
  src/train/alignment_batches.cc
  src/train/alignment_cut.cc
  src/train/alignment_step.cc
  src/train/ctr_batch.cc
  src/train/ctr_block_arrays.cc
  src/train/ctr_epoch.cc
  src/train/ctr_step.cc
  src/train/gradient_tree.cc
  src/train/lazy_adam.cc
  src/train/light_gcn_step.cc
  src/train/light_gcn_trainer.cc
  src/train/light_gcn_triples.cc
  src/train/triple_rows.cc
  src/train/projector_trainer.cc)
target_include_directories(rallrec_trainings PUBLIC src)
target_link_libraries(rallrec_trainings PUBLIC rallrec::core rallrec::kernels rallrec::distributed)
rallrec_compile_options(rallrec_trainings)
target_compile_options(rallrec_trainings PRIVATE ${RALLREC_SANITIZE} -O1 -g1)
add_library(rallrec::data ALIAS rallrec_trainings)
add_library(rallrec::models ALIAS rallrec_trainings)
add_library(rallrec::train ALIAS rallrec_trainings)

add_subdirectory(tests/support/device)
add_subdirectory(tests/support/simt/broken)
add_subdirectory(tests/core)
add_subdirectory(tests/kernels)
add_subdirectory(tests/distributed)
add_subdirectory(tests/models)
add_subdirectory(tests/train)
