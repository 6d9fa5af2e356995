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
expect(0 "--keep-prob.*--lr-schedule.*--max-norm" train --help)

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
expect(0 "none [^\n]+\n[^\n]+ neuron [^\n]+\n$" overhead --widths 16 --batches 4 --keep-probs 0.5
  --units neuron --seconds 0)
foreach(key none_ms dropout_ms ratio)
  expect_json(overhead.json NUMBER rows 11 ${key} median)
endforeach()
expect_value(overhead.json 24 rows 11 width)
expect_value(overhead.json 0.75 rows 11 keep_prob)
expect_value(overhead.json element rows 9 unit)
expect_value(overhead.json neuron rows 10 unit)
expect_value(overhead.json lazy rows 11 unit)
expect_value(overhead.json 1 environment threads)

# Arguments: one line, exit code 2.
expect(2 "subcommand")
expect(2 "--frobnicate" train --frobnicate)
expect(2 "1\\.5.*0 <= keep_prob <= 1" train --keep-prob 1.5)
expect(2 "nan.*0 <= keep_prob <= 1" train --input-keep-prob nan)
expect(2 "-0\\.1.*0 <= keep_prob <= 1" overhead --keep-probs=-0.1)
expect(2 "3 values given; allowed: 1, or one for each of the 2 hidden" train --data moons
  --keep-prob 0.5,0.5,0.5)
expect(2 "--dropout-unit: layer not in {element,neuron}" train --dropout-unit layer)
expect(2 "--lazy-updates: only for --dropout-unit neuron" train --data moons --lazy-updates)
expect(2 "--lazy-updates: only for --dropout-unit neuron" train --data moons --lazy-updates
  --dropout-unit element)
expect(2 "--eval-train: never not in" train --eval-train never)
expect(2 "--units: rows not in {element,neuron,lazy}" overhead --units element,rows)
expect(2 "--epochs: 0 is out of range; allowed: >= 1" train --epochs 0)
expect(2 "--batch" train --batch -3)
expect(2 "--seed: -1 is out of range" train --seed -1)
expect(2 "--train-limit: -1 is out of range" train --train-limit -1)
expect(2 "--threads" train --threads -1)
expect(2 "--lr.*nan" train --lr nan)
expect(2 "--max-norm: -1 is out of range" train --max-norm -1)
expect(2 "--max-norm.*nan" train --max-norm nan)
expect(2 "max_norm is 1.*e-50" train --data moons --max-norm 1e-50)
expect(2 "momentum is 1.5" train --data moons --momentum 1.5)
expect(2 "--optimizer: rmsprop not in" train --optimizer rmsprop)
expect(2 "only for --optimizer sgd" train --data moons --optimizer adam --momentum 0.5)
expect(2 "first width is 3, but the data has 2 features" train --data moons --layers 3,4,1)
expect(2 "last width is 3, but the data has 2 classes" train --data moons --layers 2,4,3)
expect(2 "give all four" train --train-images x)

# Files and failed runs: one line, exit code 1, no half-written results.
expect(1 "missing/train-images-idx3-ubyte.*no such file" train --data missing)
expect(1 "missing: No such file" train --train-images missing --train-labels b --test-images c
  --test-labels d)
expect(1 "missing/out.json: can't be written" train --data moons --epochs 1
  --json missing/out.json)
expect(1 "diverged.*--lr" train --data moons --loss identity_mse --lr 1e30 --json diverged.json)
file(GLOB leftovers "${WORK}/diverged.json*" "${WORK}/*.tmp*")
if(leftovers)
  message(SEND_ERROR "left behind: ${leftovers}")
endif()
set(ENV{SIMDROP_FORCE_ISA} pentium)
expect(1 "SIMDROP_FORCE_ISA.*pentium" train --data moons --epochs 1)
