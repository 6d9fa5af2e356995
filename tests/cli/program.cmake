# Runs the program as a user would: cmake "-DPROGRAM=[emulator;]simdrop" -DWORK=folder -P this
cmake_minimum_required(VERSION 3.25)
file(REMOVE_RECURSE "${WORK}")
file(MAKE_DIRECTORY "${WORK}")

# expect(CODE REGEX ARGS...): the exit code, and a regular expression of what is printed on stdout
# (code 0) or stderr. Errors are one line, and print nothing else after it.
function(expect code regex)
  execute_process(COMMAND ${PROGRAM} ${ARGN} WORKING_DIRECTORY "${WORK}"
    RESULT_VARIABLE result OUTPUT_VARIABLE out ERROR_VARIABLE err)
  string(REPLACE ";" " " line "${ARGN}")
  if(NOT result STREQUAL code)
    message(SEND_ERROR "simdrop ${line}\nexit code ${result}, expected ${code}\n${out}${err}")
  endif()
  if(code EQUAL 0)
    set(text "${out}")
    if(NOT err STREQUAL "")
      message(SEND_ERROR "simdrop ${line}\nunexpected on stderr: ${err}")
    endif()
  else()
    set(text "${err}")
    if(NOT err MATCHES "^simdrop: [^\n]+\n$")
      message(SEND_ERROR "simdrop ${line}\nexpected one line of error, found: ${err}")
    endif()
  endif()
  if(NOT text MATCHES "${regex}")
    message(SEND_ERROR "simdrop ${line}\nexpected a match of \"${regex}\" in:\n${text}")
  endif()
  string(ASCII 27 escape)
  string(ASCII 13 return)
  if(out MATCHES "[${escape}${return}]")
    message(SEND_ERROR "simdrop ${line}\nterminal control in piped output")
  endif()
endfunction()

# expect_json(FILE TYPE PATH...): the member is there and has the type.
function(expect_json file type)
  file(READ "${WORK}/${file}" json)
  string(JSON found ERROR_VARIABLE error TYPE "${json}" ${ARGN})
  if(NOT found STREQUAL type)
    message(SEND_ERROR "${file}: ${ARGN} is ${found}, expected ${type} (${error})\n${json}")
  endif()
endfunction()

# expect_value(FILE VALUE PATH...)
function(expect_value file value)
  file(READ "${WORK}/${file}" json)
  string(JSON found ERROR_VARIABLE error GET "${json}" ${ARGN})
  if(NOT found STREQUAL value)
    message(SEND_ERROR "${file}: ${ARGN} is ${found}, expected ${value} (${error})")
  endif()
endfunction()

expect(0 "^simdrop [0-9.]+\n$" --version)
expect(0 "overhead.*demo" --help)
expect(0 "--quick.*SIMDROP_QUICK_DEMO" demo --help)
expect(0 "--keep-prob.*--max-norm.*--lr-schedule" train --help)

expect(0 "CPU.*kernels.*scalar +yes +yes" info --json info.json)
foreach(key cpu isa version compiler build_type)
  expect_json(info.json STRING ${key})
endforeach()
expect_json(info.json NUMBER threads)
expect_json(info.json BOOLEAN openmp)
expect_json(info.json ARRAY tables)
expect_value(info.json scalar tables 0 name)
expect_value(info.json ON tables 0 compiled)

# Three lines of epochs; the last one has no time left.
expect(0 "\n +1 +[^\n]+\n +2 +[^\n]+\n +3 +[0-9.]+ +[0-9.]+ % +[0-9.]+ % +[0-9,]+ +0 s\n\ntrain accuracy"
  train --data moons --epochs 3 --keep-prob 0.75,0.5 --seed 5 --json train.json)
foreach(key loss train_accuracy test_accuracy seconds train_seconds ms_per_step examples_per_second)
  expect_json(train.json NUMBER epochs 2 ${key})
endforeach()
expect_json(train.json STRING environment isa)
expect_value(train.json 5 config seed)
expect_value(train.json 0.5 config keep_prob 1)
expect_value(train.json sigmoid_bce config loss)
file(READ "${WORK}/train.json" json)
string(JSON epochs LENGTH "${json}" epochs)
if(NOT epochs EQUAL 3)
  message(SEND_ERROR "train.json: ${epochs} epochs, expected 3")
endif()

# Neurons dropped; the training examples are evaluated in the end alone.
expect(0 "neurons, for a batch at a time; lazy updates.*\n +1 +[0-9.]+ +[0-9.]+ % +[0-9,]+ [^\n]+\n +2 +[0-9.]+ +[0-9.]+ % +[0-9.]+ % "
  train --data moons --epochs 2 --keep-prob 0.5 --seed 5 --dropout-unit neuron --lazy-updates
  --eval-train last --json lazy.json)
expect(0 "dropped +neurons, for a batch at a time\n" train --data moons --epochs 2 --keep-prob 0.5
  --seed 5 --dropout-unit neuron --json neuron.json)
expect(0 "dropped +elements\n" train --data moons --epochs 2 --keep-prob 0.5 --seed 5
  --json element.json)
expect_value(lazy.json neuron config dropout_unit)
expect_value(lazy.json ON config lazy_updates)
expect_value(neuron.json OFF config lazy_updates)
expect_value(element.json element config dropout_unit)
foreach(name lazy neuron element)
  expect_json(${name}.json NUMBER train_seconds)
  expect_json(${name}.json NUMBER epochs 1 train_accuracy)
  file(READ "${WORK}/${name}.json" json)
  string(JSON ${name} GET "${json}" epochs 1 test_loss)
endforeach()
if(lazy STREQUAL neuron OR neuron STREQUAL element OR lazy STREQUAL element)
  message(SEND_ERROR "test losses: lazy ${lazy}, neuron ${neuron}, element ${element}")
endif()
expect_json(neuron.json NUMBER epochs 0 train_accuracy)
file(READ "${WORK}/lazy.json" json)
string(JSON none ERROR_VARIABLE missing GET "${json}" epochs 0 train_accuracy)
if(NOT missing)
  message(SEND_ERROR "--eval-train last: epoch 1 has the train accuracy ${none}")
endif()

# The same seed gives the same losses on one thread and on two; another seed gives others.
expect(0 "" train --data moons --epochs 3 --keep-prob 0.75,0.5 --seed 5 --threads 2 --json two.json)
expect(0 "" train --data moons --epochs 3 --keep-prob 0.75,0.5 --seed 5 --threads 1 --json one.json)
expect(0 "" train --data moons --epochs 3 --keep-prob 0.75,0.5 --seed 6 --threads 1 --json six.json)
foreach(name one two six)
  file(READ "${WORK}/${name}.json" json)
  string(JSON ${name} GET "${json}" epochs 2 test_loss)
endforeach()
if(NOT one STREQUAL two OR one STREQUAL six)
  message(SEND_ERROR "test losses: one thread ${one}, two ${two}, another seed ${six}")
endif()

# Epochs 4, 8 and the last one, 9.
expect(0 "-\n +4 [^\n]+\n +8 [^\n]+\n +9 [^\n]+\n\n" train --data moons --epochs 9 --eval-every 4)
expect(0 "20 training" train --data moons --epochs 1 --train-limit 20)
expect(0 "adamw, learning rate 0.01, batch 32" train --data moons --epochs 1 --optimizer adamw --lr 0.01
  --lr-schedule constant --init he --loss softmax_ce --layers 2,8,2
  --input-keep-prob 0.9)
expect(0 "Nesterov momentum 0.9, weight decay 0.01" train --data moons --epochs 1 --nesterov --batch 999
  --weight-decay 0.01)

expect(0 "momentum 0.9, max norm 0.25, learning" train --data moons --epochs 3 --keep-prob 0.75,0.5
  --seed 5 --max-norm 0.25 --json norm.json)
expect_value(norm.json 0.25 config max_norm)
expect_value(one.json 0.0 config max_norm)
file(READ "${WORK}/norm.json" json)
string(JSON norm GET "${json}" epochs 2 test_loss)
if(norm STREQUAL one)
  message(SEND_ERROR "--max-norm 0.25 changes nothing: test loss ${norm}")
endif()

expect(0 "keep_prob" overhead --widths 16,24 --batches 4 --keep-probs 0.5,0.75 --seconds 0
  --threads 1 --json overhead.json)
expect(0 "pairs\n-+\n[^\n]+ neuron [^\n]+\n(\nThe machine was busy: .*)?$" overhead --widths 16
  --batches 4 --keep-probs 0.5 --units neuron --seconds 0)
foreach(key none_ms dropout_ms ratio)
  expect_json(overhead.json NUMBER rows 11 ${key} median)
endforeach()
foreach(key core_share spread)
  expect_json(overhead.json NUMBER rows 11 ${key})
endforeach()
expect_json(overhead.json BOOLEAN rows 11 disturbed)
expect_json(overhead.json BOOLEAN disturbed)
expect_value(overhead.json 24 rows 11 width)
expect_value(overhead.json 0.75 rows 11 keep_prob)
expect_value(overhead.json element rows 7 unit)
expect_value(overhead.json neuron rows 9 unit)
expect_value(overhead.json lazy rows 11 unit)
expect_value(overhead.json 1 environment threads)

# A run that is stopped and resumed is the run that was not: its figures, and its file to the last
# byte. A learning rate that falls depends on all epochs of the run; a constant one does not.
# expect_same_run(NAME EPOCHS OPTIONS...): 4 epochs, and 2 of so many and 2 more.
function(expect_same_run name epochs)
  expect(0 "" train --data moons --epochs 4 --seed 5 ${ARGN} --save ${name}-whole.st
    --json ${name}-whole.json)
  expect(0 "" train --data moons --epochs ${epochs} --stop-after 2 --seed 5 ${ARGN}
    --save ${name}-2.st --json ${name}-2.json)
  expect(0 "-\n +3 [^\n]+\n +4 [^\n]+ 0 s\n\n" train --resume ${name}-2.st --epochs 4 --threads 1
    --save ${name}-4.st --json ${name}-4.json)
  file(SHA256 "${WORK}/${name}-whole.st" whole)
  file(SHA256 "${WORK}/${name}-4.st" resumed)
  if(NOT whole STREQUAL resumed)
    message(SEND_ERROR "${name}: the file of a resumed run is not that of a whole one")
  endif()
  file(READ "${WORK}/${name}-whole.json" json)
  foreach(epoch 2 3)
    math(EXPR at "${epoch} - 2")
    foreach(key epoch loss test_loss train_accuracy test_accuracy)
      string(JSON value GET "${json}" epochs ${epoch} ${key})
      expect_value(${name}-4.json ${value} epochs ${at} ${key})
    endforeach()
  endforeach()
endfunction()
expect_same_run(linear 4 --keep-prob 0.75,0.5 --max-norm 2)
expect_same_run(constant 2 --keep-prob 0.75 --lr-schedule constant --optimizer adam --lr 0.003
  --loss softmax_ce --layers 2,16,16,2 --input-keep-prob 0.9)
expect_same_run(neuron 4 --keep-prob 0.5 --dropout-unit neuron --lazy-updates --train-limit 300)
# The same arguments may be repeated.
expect(0 "\n +3 [^\n]+\n\n" train --data moons --keep-prob 0.75,0.5 --seed 5 --resume linear-2.st
  --stop-after 1)

# Arguments: one line, exit code 2.
expect(2 "--seed: 6 given, but linear-2.st holds a run with 5" train --resume linear-2.st --seed 6)
expect(2 "--keep-prob: .0\\.5,0\\.5. given, but .* with .0\\.75,0\\.5." train --resume linear-2.st
  --keep-prob 0.5)
expect(2 "--layers: .2,3,1. given" train --resume linear-2.st --layers 2,3,1)
expect(2 "--optimizer: \"adam\" given, but .* \"sgd\"" train --resume linear-2.st --optimizer adam)
expect(2 "--lr: 0.5 given, but" train --resume linear-2.st --lr 0.5)
expect(2 "--batch: 7 given, but" train --resume linear-2.st --batch 7)
expect(2 "--epochs: 8 given, but linear-2.st holds a run with 4" train --resume linear-2.st --epochs 8)
expect(2 "--epochs: 4, but linear-4.st has done 4; a linear schedule ends there" train --resume linear-4.st)
expect(2 "--epochs: 2, but constant-2.st has done 2; allowed: more" train --resume constant-2.st)
expect(2 "subcommand")
expect(2 "--frobnicate" train --frobnicate)
expect(2 "3 values given; allowed: 1, or one for each of the 2 hidden" train --data moons
  --keep-prob 0.5,0.5,0.5)
expect(2 "--lazy-updates: only for --dropout-unit neuron" train --data moons --lazy-updates)
expect(2 "--dropout-group: only for --dropout-unit neuron without --lazy-updates" train --data moons --dropout-group 8)
expect(2 "--lazy-updates: only for --dropout-unit neuron" train --data moons --lazy-updates
  --dropout-unit element)
expect(2 "only for --optimizer sgd" train --data moons --optimizer adam --momentum 0.5)
expect(2 "first width is 3, but the data has 2 features" train --data moons --layers 3,4,1)
expect(2 "last width is 3, but the data has 2 classes" train --data moons --layers 2,4,3)
expect(2 "give all four" train --train-images x)

# Whatever is wrong with an option, its error has one line, and nothing has been written.
# What each of them takes is tested in options.cpp.
foreach(option epochs layers keep-prob input-keep-prob dropout-unit dropout-group loss init optimizer
        momentum weight-decay max-norm lr lr-schedule batch train-limit seed eval-every eval-train
        stop-after threads)
  expect(2 "^simdrop: --${option} is '\\\\x0a-1'; allowed: " train --data moons --save never.st
    --json never.json --${option} "\n-1")
endforeach()
foreach(option widths batches keep-probs input-keep-prob units seconds threads)
  expect(2 "^simdrop: --${option} is '1e999'.*; allowed: " overhead --json never.json
    --${option} 1e999)
endforeach()
expect(2 "--quick is '2'; allowed: true or false" demo --quick=2)
# Where the option is not given. (The tests of CI run with this variable set to 1.)
set(ENV{SIMDROP_QUICK_DEMO} 2)
expect(2 "SIMDROP_QUICK_DEMO is '2'; allowed: true or false" demo)
unset(ENV{SIMDROP_QUICK_DEMO})
# 010 is ten.
expect(0 "\n +10 [^\n]+\n\n" train --data moons --epochs 010 --eval-every 10)

configure_file("${CMAKE_CURRENT_LIST_DIR}/../data/torch_sequential.safetensors" "${WORK}/torch.st"
               COPYONLY)
# More memory than there is: the option that asked for it, and how much.
expect(1 "--batch 1000000000000 asks for 5[0-9,]+ bytes; this machine has" train --data moons
  --batch 1000000000000 --save never.st --json never.json)
expect(1 "--layers 784,99999999999,10 asks for [0-9,]+ bytes" train --json never.json
  --layers 784,99999999999,10)
expect(1 "--batches 18446744073709551615 asks for [0-9,]+ bytes" overhead --json never.json
  --batches 1,18446744073709551615)
expect(1 "--widths 4294967296 asks for 1[0-9,]+ bytes" overhead --widths 4294967296)

# Files and failed runs: one line, exit code 1, no half-written results.
expect(1 "missing/train-images-idx3-ubyte.*no such file" train --data missing)
expect(1 "missing: No such file" train --train-images missing --train-labels b --test-images c
  --test-labels d)
expect(1 "missing/out.json: can't be written" train --data moons --epochs 1
  --json missing/out.json)
expect(1 "diverged.*--lr" train --data moons --loss identity_mse --lr 1e30 --json diverged.json
  --save diverged.st)
expect(1 "missing/out.st: can't be written" train --data moons --epochs 1 --save missing/out.st)
expect(1 "simdrop: missing.st: No such file" train --resume missing.st)
expect(1 "train.json: not a safetensors file" train --resume train.json)
expect(1 "torch.st: was not written by simdrop train --save" train --resume torch.st)
# Training that diverges says so wherever it shows, and replaces nothing.
file(WRITE "${WORK}/kept.json" "results of before")
file(COPY_FILE "${WORK}/linear-2.st" "${WORK}/kept.st")
set(kept --json kept.json --save kept.st)
set(overflow train --data moons --loss identity_mse --lr 1e30 --train-limit 32)
expect(1 "diverged in epoch 1, step 2: the loss is (nan|inf); a smaller --lr" train --data moons
  --loss identity_mse --lr 1e30 ${kept})
expect(1 "diverged by epoch 1, step 1: the loss of an evaluation is (nan|inf); a smaller --lr"
  ${overflow} --epochs 1 ${kept})
expect(1 "diverged by epoch 1, step 1: " ${overflow} --stop-after 1 --eval-every 9 ${kept})
expect(1 "diverged by epoch 1, step 1: " ${overflow} --eval-every 9 --eval-train last ${kept})
expect(1 "diverged in epoch 2, step 2: " ${overflow} --eval-every 9 --json kept.json)
if(EXISTS /usr/share/datasets/fashion-mnist)
  expect(1 "diverged by epoch 1, step 3: " train --layers 784,256,256,10 --train-limit 768
    --batch 256 --epochs 1 --lr 10 --lr-schedule constant --loss identity_mse --threads 1 ${kept})
endif()
file(READ "${WORK}/kept.json" json)
if(NOT json STREQUAL "results of before")
  message(SEND_ERROR "kept.json was replaced:\n${json}")
endif()
expect(0 "\n +3 [^\n]+\n\n" train --resume kept.st --stop-after 1)
file(GLOB leftovers "${WORK}/never*" "${WORK}/diverged.*" "${WORK}/*.tmp*" "${WORK}/.simdrop-*")
if(leftovers)
  message(SEND_ERROR "left behind: ${leftovers}")
endif()
set(ENV{SIMDROP_FORCE_ISA} pentium)
expect(1 "SIMDROP_FORCE_ISA.*pentium" train --data moons --epochs 1)
