// Drops and chosen files go up one after the other; each then shows the report that the box drew of it.

const form = document.getElementById("upload");
const list = document.getElementById("uploads");
const template = document.getElementById("uploading");
const chooser = form.querySelector("input[type=file]");
const most = Number(form.dataset.most);
const count = new Intl.NumberFormat("en-GB");
const BUSY = 503;
const BUSY_PAUSE_MS = 3000;
const ASK_MS = 700;

let turn = Promise.resolve();

chooser.addEventListener("change", () => {
  take(chooser.files);
  chooser.value = "";
});

let entered = 0;
addEventListener("dragenter", (event) => {
  if (!event.dataTransfer?.types.includes("Files")) return;
  entered += 1;
  document.body.classList.add("dropping");
});
addEventListener("dragleave", () => {
  entered = Math.max(0, entered - 1);
  if (!entered) document.body.classList.remove("dropping");
});
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  entered = 0;
  document.body.classList.remove("dropping");
  take(event.dataTransfer.files);
});

function take(files) {
  for (const file of files) {
    const card = draw(file);
    turn = turn.then(() => bring(file, card));
  }
}

function draw(file) {
  const card = template.content.firstElementChild.cloneNode(true);
  card.querySelector("h3").textContent = file.name;
  list.prepend(card);
  say(card, "waiting for its turn");
  return card;
}

async function bring(file, card) {
  if (file.size > most) return fail(card, form.dataset.tooLarge);
  const token = crypto.randomUUID();
  let answer = await send(file, card, token);
  while (answer.status === BUSY) {
    say(card, "another file is being imported; this one waits");
    await new Promise((done) => setTimeout(done, BUSY_PAUSE_MS));
    answer = await send(file, card, token);
  }
  if (answer.status === 200) return show(card, answer.text);
  return fail(card, problem(answer));
}

function problem(answer) {
  try {
    return JSON.parse(answer.text).error;
  } catch {
    return "The box could not be reached. Is it still running? Then send the file again.";
  }
}

function send(file, card, token) {
  return new Promise((done) => {
    const request = new XMLHttpRequest();
    const watching = new AbortController();
    request.upload.onprogress = (event) => event.lengthComputable && bar(card, event.loaded / event.total);
    request.upload.onload = () => watch(card, token, watching.signal);
    request.onloadend = () => {
      watching.abort();
      done({ status: request.status, text: request.responseText });
    };
    request.open("POST", form.action);
    request.setRequestHeader("X-Requested-With", "fetch");
    request.setRequestHeader("X-Form-Token", form.elements.form_token.value);
    request.setRequestHeader("X-Progress", token);
    say(card, "on its way");
    request.send(body(file));
  });
}

function body(file) {
  const data = new FormData();
  if (form.elements.store) data.append("store", form.elements.store.value);
  data.append("file", file);
  return data;
}

// While the box reads, it says how far it is.
async function watch(card, token, stopped) {
  card.querySelector("progress").removeAttribute("value");
  say(card, "the box is reading it");
  while (!stopped.aborted) {
    await new Promise((done) => setTimeout(done, ASK_MS));
    if (stopped.aborted) return;
    const answer = await fetch(`/import/progress/${token}`, { headers: { "X-Requested-With": "fetch" } }).catch(() => null);
    const step = answer?.ok ? await answer.json() : {};
    if (step.items && !stopped.aborted) say(card, `${count.format(step.items)} read so far`);
  }
}

function bar(card, part) {
  card.querySelector("progress").value = part;
}

function say(card, words) {
  card.querySelector(".state").textContent = words;
}

function show(card, html) {
  const drawn = document.createRange().createContextualFragment(html);
  card.replaceWith(drawn);
}

function fail(card, words) {
  card.querySelector("progress").remove();
  card.querySelector(".state").textContent = "not imported";
  const notice = document.createElement("p");
  notice.className = "notice wrong";
  notice.setAttribute("role", "alert");
  notice.textContent = words;
  card.append(notice);
}
