// People of the console: an administrator adds them on the page, with their roles.

/** Fills the form of `/admin` in; gives the one-time link that the page shows. */
export async function addPerson(page, { id, roles }) {
    await page.goto('/admin');
    const form = page.locator('form[action="/admin/people"]');
    await form.locator('input[name="person_id"]').fill(id);
    await form.locator('input[name="name"]').fill(`Person ${id}`);
    for (const role of roles) {
        await form.locator(`input[name="roles"][value="${role}"]`).check();
    }
    await form.locator('button[type="submit"]').click();
    const text = await page.locator('main').innerText();
    const link = /http:\/\/\S+\/sign-in\?link=[0-9a-f]+/.exec(text)?.[0];
    if (!link) throw new Error(`/admin shows no one-time link after ${id} was added`);
    return link;
}
