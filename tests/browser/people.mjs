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
    const added = page.waitForEvent('load');
    await form.locator('button[type="submit"]').press('Enter');
    await added;
    return page.locator('main [data-link]').innerText();
}
